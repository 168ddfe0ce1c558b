// Reservations through Hadoop's own client, one line an answer. Run from source: java -cp ... this file.
//   ReservationCalls <plan queue> <now, ms>
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.yarn.api.protocolrecords.ReservationDeleteRequest;
import org.apache.hadoop.yarn.api.protocolrecords.ReservationListRequest;
import org.apache.hadoop.yarn.api.protocolrecords.ReservationSubmissionRequest;
import org.apache.hadoop.yarn.api.protocolrecords.ReservationUpdateRequest;
import org.apache.hadoop.yarn.api.records.Priority;
import org.apache.hadoop.yarn.api.records.ReservationAllocationState;
import org.apache.hadoop.yarn.api.records.ReservationDefinition;
import org.apache.hadoop.yarn.api.records.ReservationId;
import org.apache.hadoop.yarn.api.records.ReservationRequest;
import org.apache.hadoop.yarn.api.records.ReservationRequestInterpreter;
import org.apache.hadoop.yarn.api.records.ReservationRequests;
import org.apache.hadoop.yarn.api.records.Resource;
import org.apache.hadoop.yarn.api.records.ResourceAllocationRequest;
import org.apache.hadoop.yarn.client.api.YarnClient;
import org.apache.hadoop.yarn.conf.YarnConfiguration;

public class ReservationCalls {
  interface Call {
    Object run() throws Exception;
  }

  static final ReservationRequestInterpreter ALL = ReservationRequestInterpreter.R_ALL;
  static final ReservationRequestInterpreter ANY = ReservationRequestInterpreter.R_ANY;
  static final ReservationRequestInterpreter ORDER = ReservationRequestInterpreter.R_ORDER;
  static final ReservationRequestInterpreter NO_GAP = ReservationRequestInterpreter.R_ORDER_NO_GAP;
  static YarnClient client;
  static String queue;
  static long start;  // a full minute, some to come

  static void say(String what, Call call) {
    String answer;
    try {
      Object result = call.run();
      answer = result == null ? "ok" : result.toString();
    } catch (Throwable error) {
      answer = error.getClass().getName() + ": " + error.getMessage().split("\n")[0];
    }
    System.out.println(what + " => " + answer);
  }

  static ReservationRequest request(int containers, int gang, long seconds, int memory) {
    return ReservationRequest.newInstance(Resource.newInstance(memory, 1), containers, gang,
        seconds * 1000);
  }

  static ReservationDefinition wanted(long from, long to, ReservationRequestInterpreter kind,
      ReservationRequest... requests) {
    return ReservationDefinition.newInstance(start + from * 1000, start + to * 1000,
        ReservationRequests.newInstance(Arrays.asList(requests), kind), "r", "0",
        Priority.newInstance(3));
  }

  static ReservationDefinition every(String period, ReservationDefinition definition) {
    definition.setRecurrenceExpression(period);
    return definition;
  }

  static ReservationId submit(String what, String to, ReservationDefinition definition)
      throws Exception {
    ReservationId id = client.createReservation().getReservationId();
    say(what, () -> {
      client.submitReservation(ReservationSubmissionRequest.newInstance(definition, to, id));
      return null;
    });
    return id;
  }

  static String list(ReservationId id, long from, long to, boolean steps) throws Exception {
    List<String> lines = new ArrayList<>();
    for (ReservationAllocationState one : client.listReservations(ReservationListRequest
        .newInstance(queue, id == null ? "" : id.toString(), from, to, steps))
        .getReservationAllocationState()) {
      ReservationDefinition asked = one.getReservationDefinition();
      StringBuilder line = new StringBuilder(one.getReservationId() + " of " + one.getUser() + " "
          + asked.getReservationName() + " " + asked.getArrival() + "-" + asked.getDeadline() + " "
          + asked.getReservationRequests().getInterpreter() + " every "
          + asked.getRecurrenceExpression());
      for (ReservationRequest request : asked.getReservationRequests().getReservationResources()) {
        line.append(" [" + request.getNumContainers() + "/" + request.getConcurrency() + " x "
            + request.getCapability() + " for " + request.getDuration() + "]");
      }
      for (ResourceAllocationRequest step : one.getResourceAllocationRequests()) {
        // What recurs is shown by its place in the period.
        String begin = step.getStartTime() < 1000000000000L ? "a place" : "" + step.getStartTime();
        line.append(" {" + begin + " for " + (step.getEndTime() - step.getStartTime()) + " "
            + step.getCapability() + "}");
      }
      lines.add(line.toString());
    }
    return lines.toString();
  }

  static void refused() throws Exception {
    submit("in the past", queue, wanted(-7200, -3600, ALL, request(1, 1, 60, 1024)));
    submit("nothing", queue, wanted(0, 600, ALL));
    submit("too long", queue, wanted(0, 60, ALL, request(1, 1, 61, 1024)));
    submit("too long in order", queue,
        wanted(0, 60, ORDER, request(1, 1, 31, 1024), request(1, 1, 30, 1024)));
    submit("gang too large", queue, wanted(0, 60, ALL, request(9, 9, 30, 1024)));
    submit("unknown queue", "nosuch", wanted(0, 60, ALL, request(1, 1, 30, 1024)));
    submit("no plan queue", "default", wanted(0, 60, ALL, request(1, 1, 30, 1024)));
    submit("no queue", "", wanted(0, 60, ALL, request(1, 1, 30, 1024)));
    for (String period : new String[] {"-60000", "x", "1", "86399999", "172800000"}) {
      submit("every " + period, queue,
          every(period, wanted(0, 60, ALL, request(1, 1, 30, 1024))));
    }
    submit("no multiple of the gang", queue, wanted(0, 60, ALL, request(3, 2, 30, 1024)));
    submit("gang of none", queue, wanted(0, 60, ALL, request(2, 0, 30, 1024)));
    submit("no containers", queue, wanted(0, 60, ALL, request(0, 1, 30, 1024)));
    submit("no room", queue, wanted(0, 60, ALL, request(9, 1, 60, 1024)));
    submit("container too large", queue, wanted(0, 60, ANY, request(1, 1, 30, 1 << 30)));
    say("update of an unknown one", () -> client.updateReservation(ReservationUpdateRequest
        .newInstance(wanted(0, 60, ALL, request(1, 1, 30, 1024)), ReservationId.newInstance(1, 1))));
    say("delete of an unknown one", () -> client.deleteReservation(
        ReservationDeleteRequest.newInstance(ReservationId.newInstance(1, 1))));
    say("list backwards", () -> list(null, 5, 4, false));
    say("list of a bad id", () -> client.listReservations(
        ReservationListRequest.newInstance(queue, "seven", 0, Long.MAX_VALUE, false)));
  }

  static void taken() throws Exception {
    ReservationDefinition first = wanted(0, 600, ALL, request(2, 1, 60, 512));
    ReservationId one = submit("first", queue, first);
    say("again", () -> {
      client.submitReservation(ReservationSubmissionRequest.newInstance(first, queue, one));
      return null;
    });
    say("again and different", () -> client.submitReservation(ReservationSubmissionRequest
        .newInstance(wanted(0, 601, ALL, request(2, 1, 60, 512)), queue, one)));
    say("one", () -> list(one, 0, Long.MAX_VALUE, true));
    say("update", () -> {
      client.updateReservation(ReservationUpdateRequest.newInstance(
          wanted(60, 600, ALL, request(2, 2, 60, 512)), one));
      return null;
    });
    say("updated", () -> list(one, 0, Long.MAX_VALUE, true));
    submit("any", queue, wanted(0, 60, ANY, request(9, 9, 30, 1024), request(1, 1, 30, 512)));
    submit("in order", queue,
        wanted(600, 900, ORDER, request(1, 1, 60, 512), request(2, 1, 30, 512)));
    submit("without gap", queue,
        wanted(1800, 2100, NO_GAP, request(1, 1, 60, 512), request(2, 2, 30, 512)));
    ReservationId daily =
        submit("daily", queue, every("86400000", wanted(1200, 1500, ALL, request(1, 1, 60, 512))));
    say("the daily one", () -> list(daily, 0, Long.MAX_VALUE, true));
    say("without allocations", () -> list(one, 0, Long.MAX_VALUE, false));
    say("delete", () -> {
      client.deleteReservation(ReservationDeleteRequest.newInstance(one));
      return null;
    });
    say("deleted", () -> list(one, 0, Long.MAX_VALUE, true));
  }

  public static void main(String[] args) throws Exception {
    queue = args[0];
    start = (Long.parseLong(args[1]) / 60000 + 5) * 60000;
    client = YarnClient.createYarnClient();
    client.init(new YarnConfiguration());
    client.start();
    System.out.println("start " + start);
    refused();
    taken();
    client.stop();
  }
}
