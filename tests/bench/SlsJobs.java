import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.util.ToolRunner;
import org.apache.hadoop.yarn.api.records.ApplicationId;
import org.apache.hadoop.yarn.exceptions.YarnException;
import org.apache.hadoop.yarn.sls.AMDefinition;
import org.apache.hadoop.yarn.sls.AMDefinitionFactory;
import org.apache.hadoop.yarn.sls.AMRunner;
import org.apache.hadoop.yarn.sls.SLSRunner;
import org.apache.hadoop.yarn.sls.appmaster.AMSimulator;
import org.apache.hadoop.yarn.sls.scheduler.TaskRunner;

/**
 * Hadoop's Scheduler Load Simulator, where that of 3.4.2 does not work: it takes texts only as the
 * values of a job, and so refuses every job, whose job.tasks is a list; and its ResourceManager ends
 * when a container is given before it has noted which application that is for.
 */
public class SlsJobs extends AMRunner {
  private final SLSRunner simulator;
  private String[] files = {};

  SlsJobs(TaskRunner tasks, SLSRunner simulator) {
    super(tasks, simulator);
    this.simulator = simulator;
  }

  @Override
  public void setInputTraces(String[] traces) {
    super.setInputTraces(traces);
    files = traces.clone();
  }

  /** All texts, as the Load Simulator casts them, but for the list of tasks. */
  @SuppressWarnings("unchecked")
  private static Map<String, String> job(Map<String, Object> read) {
    for (Object task : (List<Object>) read.get("job.tasks")) {
      ((Map<String, Object>) task).replaceAll((name, value) -> String.valueOf(value));
    }
    read.replaceAll((name, value) -> value instanceof List ? value : String.valueOf(value));
    return (Map<String, String>) (Map<String, ?>) read;
  }

  @Override
  public void startAM() throws YarnException, IOException {
    try {
      Method start = AMRunner.class.getDeclaredMethod("startAMs", AMDefinition.class);
      start.setAccessible(true);
      for (String file : files) {
        MappingIterator<Map<String, Object>> jobs =
            new ObjectMapper().readerForMapOf(Object.class).readValues(new File(file));
        while (jobs.hasNext()) {
          start.invoke(this, AMDefinitionFactory.createFromSlsTrace(job(jobs.next()), simulator));
        }
      }
    } catch (ReflectiveOperationException wrong) {
      throw new IllegalStateException("not the Load Simulator of Hadoop 3.4.2", wrong);
    }
  }

  /** Waits for a moment: a container may be given before the Load Simulator has noted whose it is. */
  @Override
  public AMSimulator getAMSimulator(ApplicationId application) {
    AMSimulator found = super.getAMSimulator(application);
    try {
      for (int i = 0; found == null && i < 5000; i++) {
        Thread.sleep(1);
        found = super.getAMSimulator(application);
      }
    } catch (InterruptedException over) {
      Thread.currentThread().interrupt();
    }
    return found;
  }

  public static void main(String[] args) throws Exception {
    SLSRunner simulator = new SLSRunner();
    Field tasks = SLSRunner.class.getDeclaredField("runner");
    Field masters = SLSRunner.class.getDeclaredField("amRunner");
    tasks.setAccessible(true);
    masters.setAccessible(true);
    SlsJobs jobs = new SlsJobs((TaskRunner) tasks.get(null), simulator);
    jobs.init(simulator.getConf());
    masters.set(simulator, jobs);
    ToolRunner.run(new Configuration(), simulator, args);
  }
}
