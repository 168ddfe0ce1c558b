import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateResponse;
import org.apache.hadoop.yarn.api.records.*;
import org.apache.hadoop.yarn.client.api.AMRMClient;
import org.apache.hadoop.yarn.client.api.NMClient;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.exceptions.YarnException;

/** An unmanaged ApplicationMaster that changes one container and writes down what it is told. */
public class ResizeMaster {
  static final List<String> TOLD = new ArrayList<>();
  static AMRMClient<AMRMClient.ContainerRequest> rm;
  static NMClient nm;

  public static void main(String[] args) throws Exception {
    YarnConfiguration conf = new YarnConfiguration();
    rm = AMRMClient.createAMRMClient();
    nm = NMClient.createNMClient();
    for (org.apache.hadoop.service.AbstractService service : List.of(rm, nm)) {
      service.init(conf);
      service.start();
    }
    try {
      rm.registerApplicationMaster("localhost", 0, "");
      run(conf);
      rm.unregisterApplicationMaster(FinalApplicationStatus.SUCCEEDED, "", "");
    } catch (Throwable error) {
      TOLD.add("error " + error);
      rm.unregisterApplicationMaster(FinalApplicationStatus.FAILED, "" + error, "");
    } finally {
      Files.write(Path.of(args[0]), TOLD);
      System.exit(0);
    }
  }

  static void run(YarnConfiguration conf) throws Exception {
    Priority priority = Priority.newInstance(1);
    rm.addContainerRequest(
        new AMRMClient.ContainerRequest(Resource.newInstance(512, 1), null, null, priority));
    AllocateResponse answer = rm.allocate(0.1f);
    while (answer.getAllocatedContainers().isEmpty()) {
      Thread.sleep(50);
      answer = rm.allocate(0.1f);
    }
    Container container = answer.getAllocatedContainers().get(0);
    nm.startContainer(container, ContainerLaunchContext.newInstance(Collections.emptyMap(),
        Collections.emptyMap(), List.of("sleep 300"), null, null, null));
    await(container, ContainerSubState.RUNNING);

    container = update(container, ContainerUpdateType.INCREASE_RESOURCE, 1024);
    container = update(container, ContainerUpdateType.DECREASE_RESOURCE, 768);

    Container old = Container.newInstance(container.getId(), container.getNodeId(), "",
        container.getResource(), priority, null);
    old.setVersion(0);
    rm.requestContainerUpdate(old, UpdateContainerRequest.newInstance(0, container.getId(),
        ContainerUpdateType.INCREASE_RESOURCE, Resource.newInstance(1024, 1), null));
    answer = rm.allocate(0.2f);
    for (UpdateContainerError error : answer.getUpdateErrors()) {
      TOLD.add("refused " + error.getReason() + " " + error.getCurrentContainerVersion());
    }
    nm.stopContainer(container.getId(), container.getNodeId());
  }

  static Container update(Container container, ContainerUpdateType type, int megabytes)
      throws Exception {
    rm.requestContainerUpdate(container, UpdateContainerRequest.newInstance(container.getVersion(),
        container.getId(), type, Resource.newInstance(megabytes, 1), null));
    List<UpdatedContainer> updated = new ArrayList<>();
    while (updated.isEmpty()) {
      AllocateResponse answer = rm.allocate(0.2f);
      updated.addAll(answer.getUpdatedContainers());
      for (UpdateContainerError error : answer.getUpdateErrors()) {
        throw new IllegalStateException("refused: " + error.getReason());
      }
      Thread.sleep(50);
    }
    Container now = updated.get(0).getContainer();
    TOLD.add(updated.get(0).getUpdateType() + " " + now.getVersion() + " "
        + now.getResource().getMemorySize());
    try {
      nm.updateContainerResource(now);
    } catch (YarnException late) {
      // Hadoop's ResourceManager itself tells a node whose report crossed a decrease.
      if (!String.valueOf(late.getMessage()).contains("has update version")) throw late;
    }
    ContainerStatus status = nm.getContainerStatus(now.getId(), now.getNodeId());
    while (status.getCapability().getMemorySize() != megabytes) {
      Thread.sleep(50);
      status = nm.getContainerStatus(now.getId(), now.getNodeId());
    }
    TOLD.add("node " + status.getCapability().getMemorySize());
    return now;
  }

  static void await(Container container, ContainerSubState state) throws Exception {
    while (nm.getContainerStatus(container.getId(), container.getNodeId()).getContainerSubState()
        != state) {
      Thread.sleep(50);
    }
  }
}
