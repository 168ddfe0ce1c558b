import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.*;
import java.util.stream.Collectors;
import org.apache.hadoop.security.GroupMappingServiceProvider;
import org.apache.hadoop.yarn.api.records.*;
import org.apache.hadoop.yarn.api.resource.PlacementConstraint;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.ContainerUpdates;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.SchedulerNode;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.*;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.common.fica.FiCaSchedulerApp;
import org.apache.hadoop.yarn.server.scheduler.SchedulerRequestKey;
import org.apache.hadoop.yarn.util.constraint.PlacementConstraintParser;
import org.apache.hadoop.yarn.util.resource.ResourceUtils;

/**
 * Runs scenario files (the language is in ../README.md) on Hadoop's CapacityScheduler. For each
 * expectation it prints a row of fields between tabs: file, line, "same", "differs" or "skipped",
 * what the file says, what Hadoop says. Files with the same `types` line go together.
 */
public class ScenarioRunner {
  /** Nobody has groups, and nobody is asked for them. */
  public static class NoGroups implements GroupMappingServiceProvider {
    @Override
    public List<String> getGroups(String user) {
      return List.of(user);
    }

    @Override
    public void cacheGroupsRefresh() {}

    @Override
    public void cacheGroupsAdd(List<String> groups) {}

    @Override
    public Set<String> getGroupsSet(String user) {
      return Set.of(user);
    }
  }

  /** What the real scheduler cannot be asked. */
  static final class Skipped extends Exception {
    Skipped(String why) {
      super(why);
    }
  }

  /** What is refused with a message, as the words of the language that may be refused are. */
  static final class Refused extends Exception {
    Refused(String message) {
      super(message);
    }
  }

  static {
    org.apache.log4j.LogManager.getLoggerRepository().setThreshold(org.apache.log4j.Level.OFF);
  }

  static final String PREFIX = "yarn.scheduler.capacity.";
  static final YarnConfiguration BASE = new YarnConfiguration();
  static PrintStream out;

  final String file;
  int number;
  List<String> plain;
  Map<String, String> named;

  final Map<String, Map<String, String>> queues = new TreeMap<>();
  final Map<String, String> settings = new LinkedHashMap<>();
  final Map<String, String> preemption = new LinkedHashMap<>();
  final Map<String, String> racks = new HashMap<>();
  final Map<String, RealScheduler.App> apps = new LinkedHashMap<>();
  final Map<String, Map<Set<String>, PlacementConstraint>> constraints = new HashMap<>();
  final Map<String, String> wanted = new HashMap<>();  // where an application last asked to be
  final List<RealScheduler.Given> placed = new ArrayList<>();
  final List<RealScheduler.Given> running = new ArrayList<>();
  String[] limits = {"1024", "1", "1048576", "1024"};
  final List<NodeLabel> partitions = new ArrayList<>();
  static List<String> types = List.of();  // once for the process: Hadoop keeps them so
  final List<RealScheduler.Given> opportunistic = new ArrayList<>();
  String refused = null;
  RealScheduler real;

  ScenarioRunner(String file) {
    this.file = file;
  }

  public static void main(String[] files) throws Exception {
    out = System.out;
    System.setOut(System.err);
    BASE.set("hadoop.security.group.mapping", NoGroups.class.getName());
    BASE.set("yarn.resourcemanager.placement-constraints.handler", "scheduler");
    BASE.set("yarn.cluster.max-application-priority", "1000");
    BASE.set("yarn.resourcemanager.scheduler.monitor.policies", "");
    BASE.set(PREFIX + "per-node-heartbeat.multiple-assignments-enabled", "false");
    for (String line : Files.readAllLines(Path.of(files[0]))) {
      if (line.startsWith("types ")) types = List.of(line.substring(6).trim().split(" +"));
    }
    if (!types.isEmpty()) BASE.set("yarn.resource-types", String.join(",", types));
    for (String type : types) {
      BASE.set("yarn.resource-types." + type + ".maximum-allocation", "1024");
    }
    ResourceUtils.resetResourceTypes(BASE);
    for (String file : files) {
      new ScenarioRunner(Path.of(file).getFileName().toString()).run(Files.readAllLines(Path.of(file)));
    }
    out.flush();
    Runtime.getRuntime().halt(0);
  }

  void run(List<String> lines) {
    try {
      for (String line : lines) {
        ++number;
        String content = line.replaceFirst("#.*", "").trim();
        if (!content.isEmpty()) line(content);
      }
      if (refused != null) row("differs", "accepted", "refused: " + refused);
    } finally {
      if (real != null) real.close();
    }
  }

  void line(String content) {
    plain = new ArrayList<>();
    named = new TreeMap<>();
    for (String word : content.split("\\s+")) {
      int equals = word.indexOf('=');
      if (equals <= 0) {
        plain.add(word);
      } else {
        named.put(word.substring(0, equals), word.substring(equals + 1));
      }
    }
    if (refused != null && !(at(0).equals("expect") && at(1).equals("refused"))) {
      --number;
      row("differs", "accepted", "refused: " + refused);
      ++number;
      refused = null;
    }
    try {
      verb();
    } catch (Skipped why) {
      row("skipped", content, why.getMessage());
    } catch (Refused why) {
      refused = why.getMessage();
    } catch (Exception error) {
      row("differs", content, "fails: " + error);
      error.printStackTrace();
    }
  }

  static String oneLine(String text) {
    String flat = text.replaceAll("[\\t\\r\\n]+", " ").replaceAll("(application|appattempt)_[0-9_]+", "$1");
    return flat.length() > 160 ? flat.substring(0, 160) + "..." : flat;
  }

  void row(String verdict, String ours, String hadoop) {
    out.println(file + "\t" + number + "\t" + verdict + "\t" + oneLine(ours) + "\t" + oneLine(hadoop));
  }

  String at(int index) {
    return index < plain.size() ? plain.get(index) : "";
  }

  String get(String name, String otherwise) {
    return named.getOrDefault(name, otherwise);
  }

  // --- the words

  void verb() throws Exception {
    switch (at(0)) {
      case "rule" -> {}
      case "queue" -> queues.computeIfAbsent(at(1), path -> new TreeMap<>()).putAll(named);
      case "no-queue" -> queues.remove(at(1));
      case "set" -> settings.put(at(1), at(2));
      case "limits" -> limits();
      case "types" -> {
        if (!types.equals(plain.subList(1, plain.size()))) {
          throw new IllegalStateException("files of other types need a process of their own");
        }
      }
      case "labels" -> named.forEach((name, kind) ->
          partitions.add(NodeLabel.newInstance(name, kind.equals("exclusive"))));
      case "apply" -> apply();
      case "preemption" -> {
        preemption.putAll(named);
        if (real != null) apply();
      }
      default -> {
        if (real == null) apply();
        verbOnQueues();
      }
    }
  }

  void verbOnQueues() throws Exception {
    switch (at(0)) {
      case "make" -> make();
      case "idle" -> idle();
      case "node" -> node(at(1), at(2));
      case "nodes" -> {
        for (int i = 1; i <= Integer.parseInt(at(1)); ++i) node("n" + i, at(2));
      }
      case "label" -> real.labelNode(at(1), at(2));
      case "plan" -> plan();
      case "node-gone" -> real.removeNode(at(1));
      case "node-off" -> real.setLeaving(at(1), true);
      case "node-on" -> real.setLeaving(at(1), false);
      case "app" -> app();
      case "ask" -> ask();
      case "tagged" -> tagged();
      case "app-constraint" -> appConstraint();
      case "app-tags" -> app(at(1)).tags.addAll(plain.subList(2, plain.size()));
      case "attributes" -> attributes();
      case "blacklist" -> blacklist();
      case "place" -> place();
      case "release" -> release();
      case "end" -> {
        real.end(app(at(1)));
        apps.remove(at(1));
      }
      case "move" -> move();
      case "priority" -> priority();
      case "resize" -> resize();
      case "opportunistic" -> {
        ContainerId id = real.runOpportunistic(app(at(1)), at(3), size(at(2)));
        opportunistic.add(new RealScheduler.Given(app(at(1)), id, at(3)));
      }
      case "promote" -> promote();
      case "demote" -> demote();
      case "time" -> time();
      case "look" -> real.look();
      case "expect" -> expect();
      default -> throw new Skipped("the word is not known here");
    }
  }

  static Resource size(String text) {
    Resource size = Resource.newInstance(0, 0);
    for (String part : text.split(",")) {
      long amount = Long.parseLong(part.replaceAll("[^0-9]", ""));
      switch (part.replaceAll("[0-9]", "")) {
        case "GB" -> size.setMemorySize(amount * 1024);
        case "MB" -> size.setMemorySize(amount);
        case "c" -> size.setVirtualCores((int) amount);
        default -> size.setResourceValue(part.replaceAll("[0-9]", ""), amount);
      }
    }
    return size;
  }

  static String text(Resource size) {
    StringBuilder text = new StringBuilder();
    text.append(size.getMemorySize()).append("MB,").append(size.getVirtualCores()).append("c");
    for (ResourceInformation type : size.getResources()) {
      if (type.getName().equals("memory-mb") || type.getName().equals("vcores")) continue;
      if (type.getValue() != 0) text.append(",").append(type.getValue()).append(type.getName());
    }
    return text.toString();
  }

  void limits() {
    Resource least = size(get("min", "1GB,1c"));
    Resource most = size(get("max", "1024GB,1024c"));
    limits = new String[] {"" + least.getMemorySize(), "" + least.getVirtualCores(),
        "" + most.getMemorySize(), "" + most.getVirtualCores()};
  }

  YarnConfiguration configuration() {
    YarnConfiguration conf = new YarnConfiguration(BASE);
    conf.set("yarn.scheduler.minimum-allocation-mb", limits[0]);
    conf.set("yarn.scheduler.minimum-allocation-vcores", limits[1]);
    conf.set("yarn.scheduler.maximum-allocation-mb", limits[2]);
    conf.set("yarn.scheduler.maximum-allocation-vcores", limits[3]);
    conf.setBoolean("yarn.node-labels.enabled", !partitions.isEmpty());
    if (!preemption.isEmpty()) conf.set("yarn.resourcemanager.scheduler.monitor.enable", "true");
    preemption.forEach(
        (name, value) -> conf.set("yarn.resourcemanager.monitor.capacity.preemption." + name, value));
    settings.forEach((name, value) -> conf.set(PREFIX + name, value));
    Map<String, List<String>> children = new TreeMap<>();
    queues.forEach((path, properties) -> {
      int dot = path.lastIndexOf('.');
      if (dot > 0) {
        children.computeIfAbsent(path.substring(0, dot), parent -> new ArrayList<>())
            .add(path.substring(dot + 1));
      }
      properties.forEach((name, value) -> conf.set(PREFIX + path + "." + name, value));
    });
    children.forEach((path, names) -> conf.set(PREFIX + path + ".queues", String.join(",", names)));
    return conf;
  }

  void apply() throws Exception {
    YarnConfiguration conf = configuration();
    try {
      if (real == null) {
        real = new RealScheduler(conf, partitions);
      } else {
        real.context.setYarnConfiguration(conf);
        real.scheduler.reinitialize(conf, real.context);
        real.drain();
      }
    } catch (Exception error) {
      if (real == null) throw error;
      throw new Refused(String.valueOf(error.getMessage()));
    }
  }

  void make() throws Exception {
    try {
      real.scheduler.getCapacitySchedulerQueueManager().createQueue(new QueuePath(at(1)));
    } catch (Exception error) {
      throw new Refused(String.valueOf(error.getMessage()));
    }
  }

  void idle() {
    AutoCreatedQueueDeletionPolicy policy = new AutoCreatedQueueDeletionPolicy();
    policy.init(real.conf, real.context, real.scheduler);
    policy.prepareForAutoDeletion();
    policy.triggerAutoDeletionForExpiredQueues();
    policy.prepareForAutoDeletion();
    policy.triggerAutoDeletionForExpiredQueues();
    real.drain();
  }

  void node(String host, String size) throws Exception {
    racks.put(host, get("rack", "/rack"));
    real.addNode(host, get("rack", "/rack"), size(size), get("label", ""));
  }

  RealScheduler.App app(String name) {
    RealScheduler.App app = apps.get(name);
    if (app == null) throw new IllegalStateException("there is no application " + name);
    return app;
  }

  void app() throws Exception {
    StringBuilder refusal = new StringBuilder();
    Resource am = named.containsKey("am") ? size(get("am", "")) : null;
    RealScheduler.App app = real.submit(at(1), get("queue", ""), get("user", "ann"),
        Integer.parseInt(get("priority", "0")), am, refusal);
    if (refusal.length() > 0) throw new Refused(refusal.toString());
    apps.put(at(1), app);
  }

  ResourceRequest row(String place, boolean relax) {
    ResourceRequest.ResourceRequestBuilder row = ResourceRequest.newBuilder()
        .priority(Priority.newInstance(Integer.parseInt(get("priority", "1"))))
        .allocationRequestId(Long.parseLong(get("id", "-1")))
        .resourceName(place).capability(size(at(3))).numContainers(Integer.parseInt(at(2)))
        .relaxLocality(relax);
    if (named.containsKey("label")) row.nodeLabelExpression(get("label", ""));
    return row.build();
  }

  void ask() throws Exception {
    boolean relax = !plain.contains("strict");
    List<ResourceRequest> rows = new ArrayList<>();
    String place = get("at", "");
    if (!place.isEmpty()) {
      rows.add(row(place, true));
      if (racks.containsKey(place)) rows.add(row(racks.get(place), relax));
    }
    rows.add(row(ResourceRequest.ANY, relax));
    wanted.put(at(1), place);
    try {
      real.ask(app(at(1)), rows);
    } catch (org.apache.hadoop.yarn.exceptions.YarnException error) {
      throw new Refused(error.getMessage());
    }
  }

  static PlacementConstraint constraint(String text) throws Exception {
    return PlacementConstraintParser.parseExpression(text).build();
  }

  void tagged() throws Exception {
    RealScheduler.App app = app(at(1));
    SchedulingRequest.SchedulingRequestBuilder ask = SchedulingRequest.newBuilder()
        .priority(Priority.newInstance(Integer.parseInt(get("priority", "1"))))
        .allocationRequestId(Long.parseLong(get("id", "0")))
        .executionType(ExecutionTypeRequest.newInstance(ExecutionType.GUARANTEED, true))
        .allocationTags(new HashSet<>(List.of(get("tags", "").split(","))))
        .resourceSizing(ResourceSizing.newInstance(Integer.parseInt(at(2)), size(at(3))));
    try {
      if (named.containsKey("constraint")) {
        ask.placementConstraintExpression(constraint(get("constraint", "")));
      }
      real.allocate(app, List.of(), List.of(ask.build()), List.of(), new ContainerUpdates());
    } catch (Exception error) {
      throw new Refused(String.valueOf(error.getMessage()));
    }
  }

  void appConstraint() throws Exception {
    Map<Set<String>, PlacementConstraint> all =
        constraints.computeIfAbsent(at(1), name -> new HashMap<>());
    all.put(Set.of(at(2)), constraint(get("constraint", "")));
    ApplicationId id = app(at(1)).id;
    real.context.getPlacementConstraintManager().unregisterApplication(id);
    real.context.getPlacementConstraintManager().registerApplication(id, all);
  }

  void attributes() {
    SchedulerNode node = real.scheduler.getNode(NodeId.newInstance(at(1), 1));
    Set<NodeAttribute> all = new HashSet<>();
    named.forEach((name, value) -> all.add(
        NodeAttribute.newInstance("rm.yarn.io", name, NodeAttributeType.STRING, value)));
    node.updateNodeAttributes(all);
  }

  void blacklist() {
    List<String> add = new ArrayList<>();
    List<String> remove = new ArrayList<>();
    for (String word : plain.subList(2, plain.size())) {
      (word.startsWith("+") ? add : remove).add(word.substring(1));
    }
    real.scheduler.allocate(app(at(1)).attempt, new ArrayList<>(), List.of(), List.of(), add, remove,
        new ContainerUpdates());
    real.drain();
  }

  /** Heartbeats in turn until many of them have given nothing: waiting for a place ends by count. */
  void place() {
    int most = at(1).isEmpty() ? Integer.MAX_VALUE : Integer.parseInt(at(1));
    placed.clear();
    int vain = 0;
    while (placed.size() < most && vain < Math.max(200, 3 * real.nodes.size())) {
      for (RealScheduler.Node node : List.copyOf(real.nodes.values())) {
        List<RealScheduler.Given> given = real.heartbeat(node);
        vain = given.isEmpty() ? vain + 1 : 0;
        placed.addAll(given);
        if (placed.size() >= most) break;
      }
      if (real.nodes.isEmpty()) break;
    }
    running.addAll(placed);
  }

  void release() throws Exception {
    running.removeIf(one -> !real.lives(one.id()));
    boolean counted = at(2).matches("[0-9]+");
    String host = counted ? "" : at(2);
    String count = counted ? at(2) : at(3);
    int left = count.isEmpty() ? 1 : Integer.parseInt(count);
    RealScheduler.App app = app(at(1));
    List<ContainerId> released = new ArrayList<>();
    for (RealScheduler.Given one : running) {
      if (left == 0) break;
      if (one.app() != app || (!host.isEmpty() && !one.host().equals(host))) continue;
      released.add(one.id());
      --left;
    }
    real.allocate(app, List.of(), List.of(), released, new ContainerUpdates());
    running.removeIf(one -> !real.lives(one.id()));
    if (left > 0) row("differs", "all run there", left + " fewer run there");
  }

  void plan() throws Exception {
    AbstractCSQueue plan = (AbstractCSQueue) real.scheduler.getQueue(at(1));
    float all = plan.getEffectiveCapacity("").getMemorySize();
    Map<String, Float> shares = new TreeMap<>();
    named.forEach((name, size) -> shares.put(name, size(size).getMemorySize() / all));
    try {
      real.share(plan.getQueuePath(), shares);
    } catch (org.apache.hadoop.yarn.exceptions.YarnException error) {
      throw new Refused(error.getMessage());
    }
  }

  /** Of the containers of the application, the oldest, on the host if one is said. */
  RealScheduler.Given oldest(List<RealScheduler.Given> all, String host) {
    all.removeIf(one -> !real.lives(one.id()));
    for (RealScheduler.Given one : all) {
      if (one.app().name.equals(at(1)) && (host.isEmpty() || one.host().equals(host))) return one;
    }
    throw new IllegalStateException("it has no such container");
  }

  UpdateContainerRequest update(RealScheduler.Given one, ContainerUpdateType type, Resource size,
      ExecutionType execution) {
    int version = real.scheduler.getRMContainer(one.id()).getContainer().getVersion();
    return UpdateContainerRequest.newInstance(version, one.id(), type, size, execution);
  }

  void resize() {
    RealScheduler.Given one = oldest(running, at(3));
    Resource size = size(at(2));
    Resource now = real.scheduler.getRMContainer(one.id()).getAllocatedResource();
    ContainerUpdates updates = new ContainerUpdates();
    if (size.getMemorySize() <= now.getMemorySize()
        && size.getVirtualCores() <= now.getVirtualCores()) {
      updates.getDecreaseRequests().add(
          update(one, ContainerUpdateType.DECREASE_RESOURCE, size, null));
    } else {
      updates.getIncreaseRequests().add(
          update(one, ContainerUpdateType.INCREASE_RESOURCE, size, null));
    }
    real.allocate(one.app(), List.of(), List.of(), List.of(), updates);
  }

  void promote() {
    RealScheduler.Given one = oldest(opportunistic, at(2));
    ContainerUpdates updates = new ContainerUpdates();
    updates.getPromotionRequests().add(update(one, ContainerUpdateType.PROMOTE_EXECUTION_TYPE, null,
        ExecutionType.GUARANTEED));
    real.allocate(one.app(), List.of(), List.of(), List.of(), updates);
    opportunistic.remove(one);
    running.add(one);
  }

  void demote() {
    RealScheduler.Given one = oldest(running, at(2));
    ContainerUpdates updates = new ContainerUpdates();
    updates.getDemotionRequests().add(update(one, ContainerUpdateType.DEMOTE_EXECUTION_TYPE, null,
        ExecutionType.OPPORTUNISTIC));
    real.allocate(one.app(), List.of(), List.of(), List.of(), updates);
    running.remove(one);
    opportunistic.add(one);
  }

  void move() throws Exception {
    RealScheduler.App app = app(at(1));
    try {
      real.scheduler.preValidateMoveApplication(app.id, at(2));
      real.scheduler.moveApplication(app.id, at(2));
    } catch (org.apache.hadoop.yarn.exceptions.YarnException error) {
      throw new Refused(error.getMessage());
    }
    real.drain();
    app.queue = real.scheduler.getSchedulerApplications().get(app.id).getQueue().getQueueName();
  }

  void priority() throws Exception {
    RealScheduler.App app = app(at(1));
    real.scheduler.updateApplicationPriority(Priority.newInstance(Integer.parseInt(at(2))), app.id,
        org.apache.hadoop.thirdparty.com.google.common.util.concurrent.SettableFuture.create(),
        org.apache.hadoop.security.UserGroupInformation.createRemoteUser(app.user));
    real.drain();
  }

  /** The preemption's clock is the scenario's; queues that expire see the machine's, shifted. */
  void time() throws Exception {
    long before = real.nowMs;
    real.nowMs = Long.parseLong(at(1)) * 1000;
    for (CSQueue queue : real.scheduler.getCapacitySchedulerQueueManager().getQueues().values()) {
      if (!(queue instanceof AbstractCSQueue made) || !made.isDynamicQueue()) continue;
      var read = AbstractCSQueue.class.getDeclaredMethod("getLastSubmittedTimestamp");
      read.setAccessible(true);
      RealScheduler.call(made, AbstractCSQueue.class, "setLastSubmittedTimestamp", long.class,
          (long) read.invoke(made) - (real.nowMs - before));
    }
  }

  // --- expectations

  void expect() throws Exception {
    switch (at(1)) {
      case "placed" -> expectPlaced();
      case "order" -> compare(String.join(" ", plain.subList(2, plain.size())),
          placed.stream().map(one -> one.app().name).collect(Collectors.joining(" ")));
      case "local" -> expectLocal();
      case "queue" -> expectQueue();
      case "user" -> expectUser();
      case "app" -> expectApp();
      case "victims" -> expectVictims();
      case "refused" -> {
        compare("refused", refused == null ? "accepted" : "refused");
        refused = null;
      }
      case "explain" -> throw new Skipped("Hadoop has no such sentences");
      case "ledger" -> throw new Skipped("Hadoop keeps no such sums");
      default -> throw new Skipped("the expectation is not known here");
    }
  }

  void compare(String ours, String hadoop) {
    row(ours.equals(hadoop) ? "same" : "differs", ours, hadoop);
  }

  void compareAll(Map<String, String> facts) {
    Map<String, String> ours = new TreeMap<>();
    Map<String, String> hadoop = new TreeMap<>();
    named.forEach((name, value) -> {
      if (name.equals("label")) return;
      String wants = value.matches(".*[0-9](GB|MB|c)(,.*)?") ? text(size(value)) : value;
      String has = facts.getOrDefault(name, "not known");
      if (wants.equals(has)) return;
      ours.put(name, wants);
      hadoop.put(name, has);
    });
    row(ours.isEmpty() ? "same" : "differs", flat(ours), flat(hadoop));
  }

  static String flat(Map<String, String> facts) {
    return facts.entrySet().stream().map(fact -> fact.getKey() + "=" + fact.getValue())
        .collect(Collectors.joining(" "));
  }

  void expectPlaced() {
    if (at(2).equals("nothing")) {
      row(placed.isEmpty() ? "same" : "differs", "nothing", allPlaced());
      return;
    }
    String host = at(4).equals("on") ? at(5) : "";
    String count = "" + placed.stream()
        .filter(one -> one.app().name.equals(at(2)) && (host.isEmpty() || one.host().equals(host)))
        .count();
    row(count.equals(at(3)) ? "same" : "differs", at(3), count + " of " + allPlaced());
  }

  /** "one n1 4, two n1 3": how many of whom and where. */
  String allPlaced() {
    Map<String, Integer> counts = new TreeMap<>();
    for (RealScheduler.Given one : placed) {
      counts.merge(one.app().name + " " + one.host(), 1, Integer::sum);
    }
    return counts.isEmpty() ? "nothing" : counts.entrySet().stream()
        .map(count -> count.getKey() + " " + count.getValue()).collect(Collectors.joining(", "));
  }

  void expectLocal() {
    String place = wanted.getOrDefault(at(2), "");
    int[] counts = new int[3];
    for (RealScheduler.Given one : placed) {
      if (!one.app().name.equals(at(2))) continue;
      String rack = racks.get(one.host());
      boolean near = rack.equals(place) || rack.equals(racks.get(place));
      ++counts[one.host().equals(place) ? 0 : near ? 1 : 2];
    }
    compareAll(Map.of("node", "" + counts[0], "rack", "" + counts[1], "any", "" + counts[2]));
  }

  static int waiting(FiCaSchedulerApp app) {
    int count = 0;
    for (SchedulerRequestKey key : app.getSchedulerKeys()) count += app.getOutstandingAsksCount(key);
    return count;
  }

  void expectQueue() {
    if (!(real.scheduler.getQueue(at(2)) instanceof AbstractCSQueue queue)) {
      row("differs", "is there", "there is no such queue");
      return;
    }
    String label = get("label", "");
    Map<String, String> facts = new HashMap<>();
    var usage = queue.getQueueResourceUsage();
    facts.put("used", text(named.containsKey("label") ? usage.getUsed(label) : usage.getAllUsed()));
    facts.put("pending",
        text(named.containsKey("label") ? usage.getPending(label) : usage.getAllPending()));
    facts.put("guaranteed", text(queue.getEffectiveCapacity(label)));
    facts.put("maximum", text(queue.getEffectiveMaxCapacity(label)));
    facts.put("containers", "" + queue.getNumContainers());
    facts.put("state", queue.getState().toString().toLowerCase(Locale.ROOT));
    facts.put("maximum-allocation", text(queue.getMaximumAllocation()));
    facts.put("maximum-lifetime", "" + queue.getMaximumApplicationLifetime());
    facts.put("default-lifetime", "" + queue.getDefaultApplicationLifetime());
    List<AbstractLeafQueue> leaves = new ArrayList<>();
    collect(queue, leaves);
    int apps = 0;
    int active = 0;
    int waits = 0;
    for (AbstractLeafQueue leaf : leaves) {
      apps += leaf.getNumApplications();
      active += leaf.getNumActiveApplications();
      for (FiCaSchedulerApp app : leaf.getAllApplications()) waits += waiting(app);
    }
    facts.put("apps", "" + apps);
    facts.put("active", "" + active);
    facts.put("waiting", "" + waits);
    compareAll(facts);
  }

  static void collect(CSQueue queue, List<AbstractLeafQueue> leaves) {
    if (queue instanceof AbstractLeafQueue leaf) leaves.add(leaf);
    if (queue.getChildQueues() == null) return;
    for (CSQueue child : queue.getChildQueues()) collect(child, leaves);
  }

  void expectUser() {
    if (!(real.scheduler.getQueue(at(2)) instanceof AbstractLeafQueue leaf)) {
      row("differs", "is there", "there is no such leaf");
      return;
    }
    for (UserInfo user : leaf.getUsersManager().getUsersInfo()) {
      if (!user.getUsername().equals(at(3))) continue;
      compareAll(Map.of("used", text(user.getResourcesUsed().getResource()),
          "limit", text(user.getUserResourceLimit().getResource()),
          "am-limit", text(leaf.getUserAMResourceLimitPerPartition("", at(3)))));
      return;
    }
    row("differs", "is there", "there is no such user");
  }

  void expectApp() {
    RealScheduler.App known = app(at(2));
    FiCaSchedulerApp app = real.scheduler.getApplicationAttempt(known.attempt);
    AbstractLeafQueue leaf = app.getCSLeafQueue();
    compareAll(Map.of(
        "state", leaf.getApplications().contains(app) ? "active" : "waiting",
        "used", text(app.getAppAttemptResourceUsage().getAllUsed()),
        "containers", "" + app.getLiveContainers().size(),
        "waiting", "" + waiting(app),
        "queue", leaf.getQueuePath()));
  }

  void expectVictims() {
    if (at(2).equals("nothing")) {
      compare("0", "" + real.victims.size());
      return;
    }
    compare(at(3), "" + real.victims.stream().filter(app -> app.name.equals(at(2))).count());
  }
}
