import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.metrics2.lib.DefaultMetricsSystem;
import org.apache.hadoop.net.NodeBase;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.hadoop.yarn.api.records.*;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.event.Dispatcher;
import org.apache.hadoop.yarn.event.Event;
import org.apache.hadoop.yarn.event.EventHandler;
import org.apache.hadoop.yarn.server.resourcemanager.RMContextImpl;
import org.apache.hadoop.yarn.server.resourcemanager.RMServerUtils;
import org.apache.hadoop.yarn.server.resourcemanager.ahs.RMApplicationHistoryWriter;
import org.apache.hadoop.yarn.server.resourcemanager.metrics.NoOpSystemMetricPublisher;
import org.apache.hadoop.yarn.server.resourcemanager.monitor.capacity.ProportionalCapacityPreemptionPolicy;
import org.apache.hadoop.yarn.server.resourcemanager.nodelabels.RMNodeLabelsManager;
import org.apache.hadoop.yarn.server.resourcemanager.placement.PlacementManager;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.RMApp;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.RMAppEvent;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.RMAppEventType;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.RMAppState;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.attempt.*;
import org.apache.hadoop.yarn.server.resourcemanager.rmcontainer.ContainerAllocationExpirer;
import org.apache.hadoop.yarn.server.resourcemanager.rmcontainer.RMContainer;
import org.apache.hadoop.yarn.server.resourcemanager.rmcontainer.RMContainerEvent;
import org.apache.hadoop.yarn.server.resourcemanager.rmcontainer.RMContainerEventType;
import org.apache.hadoop.yarn.server.resourcemanager.rmcontainer.RMContainerImpl;
import org.apache.hadoop.yarn.server.resourcemanager.rmnode.RMNode;
import org.apache.hadoop.yarn.server.resourcemanager.rmnode.RMNodeCleanContainerEvent;
import org.apache.hadoop.yarn.server.resourcemanager.rmnode.RMNodeResourceUpdateEvent;
import org.apache.hadoop.yarn.server.resourcemanager.rmnode.UpdatedContainerInfo;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.*;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.*;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.common.QueueEntitlement;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.constraint.AllocationTagsManager;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.constraint.MemoryPlacementConstraintManager;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.event.*;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.placement.MultiNodeSortingManager;
import org.apache.hadoop.yarn.server.resourcemanager.security.NMTokenSecretManagerInRM;
import org.apache.hadoop.yarn.server.resourcemanager.security.RMContainerTokenSecretManager;
import org.apache.hadoop.yarn.server.scheduler.OpportunisticContainerAllocator.ContainerIdGenerator;
import org.apache.hadoop.yarn.server.scheduler.OpportunisticContainerContext;

/**
 * Hadoop's CapacityScheduler with as little as it needs around it: no threads, no network, no state
 * machines of applications. What it says to its surroundings is delivered by drain(), in order.
 */
final class RealScheduler implements AutoCloseable {
  /** An application, as the scheduler sees it in the ResourceManager. */
  static final class App {
    final String name;
    final String user;
    final ApplicationId id;
    final ApplicationAttemptId attempt;
    final ApplicationSubmissionContext context =
        org.apache.hadoop.yarn.util.Records.newRecord(ApplicationSubmissionContext.class);
    final Set<String> tags = new HashSet<>();
    Resource am = Resource.newInstance(0, 0);
    String queue;
    Container master;
    RMAppAttemptMetrics metrics;
    RMApp asRmApp;

    App(String name, String user, ApplicationId id, String queue) {
      this.name = name;
      this.user = user;
      this.id = id;
      this.queue = queue;
      attempt = ApplicationAttemptId.newInstance(id, 1);
    }
  }

  /** A node, as the scheduler sees it in the ResourceManager. */
  static final class Node {
    final NodeId id;
    final String host;
    final String rack;
    final Resource total;
    Resource now;  // what it counts for, less than all of it while it leaves
    NodeState state = NodeState.RUNNING;
    final List<ContainerStatus> launched = new ArrayList<>();  // to be told by its next heartbeat
    final List<ContainerStatus> ended = new ArrayList<>();
    RMNode asRmNode;

    Node(String host, String rack, Resource total) {
      this.host = host;
      this.rack = rack;
      this.total = total;
      now = total;
      id = NodeId.newInstance(host, 1);
    }
  }

  /** A container that was given. */
  record Given(App app, ContainerId id, String host) {}

  private static final RMContainerTokenSecretManager TOKENS;
  private static final NMTokenSecretManagerInRM NODE_TOKENS;

  static {
    YarnConfiguration conf = new YarnConfiguration();
    TOKENS = new RMContainerTokenSecretManager(conf) {
      @Override
      public org.apache.hadoop.yarn.api.records.Token createContainerToken(ContainerId container,
          int version, NodeId node, String user, Resource size, Priority priority, long created,
          LogAggregationContext logs, String label,
          org.apache.hadoop.yarn.server.api.ContainerType type, ExecutionType execution,
          long request, Set<String> tags) {
        return org.apache.hadoop.yarn.api.records.Token.newInstance(
            new byte[0], "none", new byte[0], "none");
      }
    };
    NODE_TOKENS = new NMTokenSecretManagerInRM(conf) {
      @Override
      public NMToken createAndGetNMToken(String user, ApplicationAttemptId attempt,
          Container container) {
        return null;
      }
    };
  }

  /** Labels that are stored nowhere. */
  private static final class Labels extends RMNodeLabelsManager {
    @Override
    protected void initNodeLabelStore(Configuration conf) {}

    @Override
    protected void initDispatcher(Configuration conf) {}

    @Override
    protected void startDispatcher() {}

    @Override
    protected void stopDispatcher() {}
  }

  final Configuration conf;
  final CapacityScheduler scheduler = new CapacityScheduler();
  final RMContextImpl context;
  final RMNodeLabelsManager labels = new Labels();
  final Map<NodeId, Node> nodes = new LinkedHashMap<>();
  final Map<ApplicationAttemptId, App> apps = new LinkedHashMap<>();
  final Map<ApplicationId, String> rejected = new HashMap<>();
  final List<App> victims = new ArrayList<>();
  private final ArrayDeque<Event<?>> events = new ArrayDeque<>();
  private final Set<ApplicationAttemptId> served = new LinkedHashSet<>();
  private final long clusterStart = 1;
  private int nextApp = 0;
  private ProportionalCapacityPreemptionPolicy policy;
  long nowMs = 0;

  RealScheduler(Configuration conf, List<NodeLabel> partitions) throws Exception {
    this.conf = conf;
    DefaultMetricsSystem.setMiniClusterMode(true);
    QueueMetrics.clearQueueMetrics();
    UserGroupInformation.setConfiguration(conf);
    Dispatcher dispatcher = new Dispatcher() {
      @Override
      public EventHandler<Event> getEventHandler() {
        return event -> events.add(event);
      }

      @Override
      public void register(Class<? extends Enum> type, EventHandler handler) {}
    };
    context = new RMContextImpl(dispatcher, new ContainerAllocationExpirer(dispatcher), null, null,
        null, null, TOKENS, NODE_TOKENS, null);
    context.setYarnConfiguration(conf);
    context.setScheduler(scheduler);
    context.setSystemMetricsPublisher(new NoOpSystemMetricPublisher());
    context.setRMApplicationHistoryWriter(new RMApplicationHistoryWriter());
    context.setQueuePlacementManager(new PlacementManager());
    context.setAllocationTagsManager(new AllocationTagsManager(context));
    MemoryPlacementConstraintManager constraints = new MemoryPlacementConstraintManager();
    constraints.init(conf);
    context.setPlacementConstraintManager(constraints);
    MultiNodeSortingManager<SchedulerNode> sorting = new MultiNodeSortingManager<>();
    sorting.setRMContext(context);
    sorting.init(conf);
    context.setMultiNodeSortingManager(sorting);
    labels.init(conf);
    labels.start();
    if (!partitions.isEmpty()) labels.addToCluserNodeLabels(partitions);
    labels.setRMContext(context);
    context.setNodeLabelManager(labels);
    scheduler.setConf(conf);
    scheduler.setRMContext(context);
    scheduler.init(conf);
    scheduler.start();
    drain();
  }

  @Override
  public void close() {
    scheduler.stop();
    labels.stop();
  }

  // --- what the scheduler says to others

  /** Delivers what has been said, and what is said in answer. */
  void drain() {
    while (!events.isEmpty()) {
      Event<?> event = events.poll();
      if (event instanceof ContainerPreemptEvent preempt
          && preempt.getType() == SchedulerEventType.MARK_CONTAINER_FOR_PREEMPTION) {
        victims.add(apps.get(preempt.getAppId()));
      }
      if (event instanceof SchedulerEvent forScheduler) {
        scheduler.handle(forScheduler);
      } else if (event instanceof RMAppEvent app && app.getType() == RMAppEventType.APP_REJECTED) {
        rejected.put(app.getApplicationId(), app.getDiagnosticMsg());
      } else if (event instanceof RMAppAttemptEvent attempt
          && attempt.getType() == RMAppAttemptEventType.CONTAINER_ALLOCATED) {
        served.add(attempt.getApplicationAttemptId());
      } else if (event instanceof RMNodeResourceUpdateEvent resize) {
        Node node = nodes.get(resize.getNodeId());
        if (node != null) resizeNode(node, resize.getResourceOption().getResource());
      } else if (event instanceof RMNodeCleanContainerEvent clean) {
        Node node = nodes.get(clean.getNodeId());
        if (node != null) {
          node.ended.add(ContainerStatus.newInstance(
              clean.getContainerId(), ContainerState.COMPLETE, "", 0));
        }
      }
    }
  }

  /** What an interface of the ResourceManager answers: from `answers`, else nothing and none. */
  private static <T> T standIn(Class<T> type, Function<Method, Object> answers) {
    Object made = Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
        (self, method, arguments) -> {
          switch (method.getName()) {
            case "hashCode":
              return System.identityHashCode(self);
            case "equals":
              return self == arguments[0];
            case "toString":
              return type.getSimpleName();
            default:
          }
          Object answer = answers.apply(method);
          if (answer != null) return answer;
          Class<?> result = method.getReturnType();
          if (result == boolean.class) return false;
          if (result == int.class) return 0;
          if (result == long.class) return 0L;
          if (result == float.class) return 0f;
          if (result.isAssignableFrom(ConcurrentHashMap.class)) return new ConcurrentHashMap<>();
          if (result == List.class) return new ArrayList<>();
          if (result == Set.class) return new HashSet<>();
          return null;
        });
    return type.cast(made);
  }

  private RMNode standInFor(Node node) {
    return standIn(RMNode.class, method -> switch (method.getName()) {
      case "getNodeID" -> node.id;
      case "getHostName", "getNodeAddress", "getHttpAddress" -> node.host;
      case "getCommandPort" -> 1;
      case "getTotalCapability" -> node.now;
      case "getRackName" -> node.rack;
      case "getNode" -> new NodeBase(node.host, node.rack);
      case "getState" -> node.state;
      case "getNodeLabels" -> labels.getLabelsOnNode(node.id);
      case "getRMContext" -> context;
      case "getHealthReport" -> "";
      case "pullContainerUpdates" -> {
        List<UpdatedContainerInfo> updates = new ArrayList<>();
        if (!node.launched.isEmpty() || !node.ended.isEmpty()) {
          updates.add(new UpdatedContainerInfo(
              new ArrayList<>(node.launched), new ArrayList<>(node.ended), new ArrayList<>()));
          node.launched.clear();
          node.ended.clear();
        }
        yield updates;
      }
      default -> null;
    });
  }

  private RMApp standInFor(App app) {
    ResourceRequest am = ResourceRequest.newInstance(
        RMAppAttemptImpl.AM_CONTAINER_PRIORITY, ResourceRequest.ANY, app.am, 1);
    app.metrics = new RMAppAttemptMetrics(app.attempt, context);
    RMAppAttempt attempt = standIn(RMAppAttempt.class, method -> switch (method.getName()) {
      case "getAppAttemptId" -> app.attempt;
      case "getMasterContainer" -> app.master;
      case "getSubmissionContext" -> app.context;
      case "getRMAppAttemptMetrics" -> app.metrics;
      default -> null;
    });
    return standIn(RMApp.class, method -> switch (method.getName()) {
      case "getApplicationId" -> app.id;
      case "getApplicationSubmissionContext" -> app.context;
      case "getUser", "getRealUser" -> app.user;
      case "getQueue" -> app.queue;
      case "getState" -> RMAppState.RUNNING;
      case "getCurrentAppAttempt", "getRMAppAttempt" -> attempt;
      case "getAMResourceRequests" -> List.of(am);
      case "getApplicationTags" -> app.tags;
      case "getApplicationPriority" -> app.context.getPriority();
      default -> null;
    });
  }

  // --- nodes

  void addNode(String host, String rack, Resource size, String label) throws Exception {
    Node node = new Node(host, rack, size);
    node.asRmNode = standInFor(node);
    nodes.put(node.id, node);
    context.getRMNodes().put(node.id, node.asRmNode);
    if (!label.isEmpty()) labels.replaceLabelsOnNode(Map.of(node.id, Set.of(label)));
    scheduler.handle(new NodeAddedSchedulerEvent(node.asRmNode));
    drain();
  }

  void labelNode(String host, String label) throws Exception {
    Set<String> set = label.isEmpty() ? Set.of() : Set.of(label);
    labels.replaceLabelsOnNode(Map.of(NodeId.newInstance(host, 1), set));
    drain();
  }

  void removeNode(String host) {
    Node node = nodes.remove(NodeId.newInstance(host, 1));
    if (node == null) return;
    scheduler.handle(new NodeRemovedSchedulerEvent(node.asRmNode));
    context.getRMNodes().remove(node.id);
    drain();
  }

  void setLeaving(String host, boolean leaving) {
    Node node = nodes.get(NodeId.newInstance(host, 1));
    node.state = leaving ? NodeState.DECOMMISSIONING : NodeState.RUNNING;
    if (!leaving) resizeNode(node, node.total);
    scheduler.handle(new NodeUpdateSchedulerEvent(node.asRmNode));
    drain();
  }

  private void resizeNode(Node node, Resource size) {
    scheduler.handle(
        new NodeResourceUpdateSchedulerEvent(node.asRmNode, ResourceOption.newInstance(size, 0)));
    node.now = size;
  }

  // --- applications

  /** The application; `refusal` is what it was refused with. */
  App submit(String name, String queue, String user, int priority, Resource am,
      StringBuilder refusal) throws Exception {
    ApplicationId id = ApplicationId.newInstance(clusterStart, ++nextApp);
    App app = new App(name, user, id, queue);
    app.context.setApplicationId(id);
    app.context.setQueue(queue);
    app.context.setPriority(Priority.newInstance(priority));
    app.context.setUnmanagedAM(am == null);
    if (am != null) app.am = am;
    app.asRmApp = standInFor(app);
    context.getRMApps().put(id, app.asRmApp);
    apps.put(app.attempt, app);
    UserGroupInformation ugi = UserGroupInformation.createRemoteUser(user);
    Priority allowed;
    try {
      allowed = scheduler.checkAndGetApplicationPriority(
          app.context.getPriority(), ugi, queue, id);
      app.context.setPriority(allowed);
      scheduler.handle(new AppAddedSchedulerEvent(id, queue, user, false, null, allowed, null));
      drain();
    } catch (Exception refused) {
      rejected.put(id, String.valueOf(refused.getMessage()));
    }
    if (rejected.containsKey(id)) {
      refusal.append(rejected.get(id));
      context.getRMApps().remove(id);
      apps.remove(app.attempt);
      return app;
    }
    app.queue = scheduler.getSchedulerApplications().get(id).getQueue().getQueueName();
    scheduler.handle(new AppAttemptAddedSchedulerEvent(app.attempt, false));
    drain();
    OpportunisticContainerContext opportunistic = new OpportunisticContainerContext();
    opportunistic.setContainerIdGenerator(new ContainerIdGenerator() {
      @Override
      public long generateContainerId() {
        return scheduler.getApplicationAttempt(app.attempt).getNewContainerId();
      }
    });
    scheduler.getApplicationAttempt(app.attempt).setOpportunisticContainerContext(opportunistic);
    if (am != null) {
      ResourceRequest ask = ResourceRequest.newInstance(
          RMAppAttemptImpl.AM_CONTAINER_PRIORITY, ResourceRequest.ANY, am, 1);
      allocate(app, List.of(ask), List.of(), List.of(), new ContainerUpdates());
    }
    return app;
  }

  void end(App app) {
    apps.remove(app.attempt);
    scheduler.handle(
        new AppAttemptRemovedSchedulerEvent(app.attempt, RMAppAttemptState.FINISHED, false));
    scheduler.handle(new AppRemovedSchedulerEvent(app.id, RMAppState.FINISHED));
    drain();
    context.getRMApps().remove(app.id);
  }

  Allocation allocate(App app, List<ResourceRequest> asks, List<SchedulingRequest> tagged,
      List<ContainerId> released, ContainerUpdates updates) {
    Allocation answer = scheduler.allocate(app.attempt, asks, tagged, released,
        new ArrayList<>(), new ArrayList<>(), updates);
    drain();
    return answer;
  }

  /** As an allocate call brings it: made fit, checked, then noted. */
  void ask(App app, List<ResourceRequest> asks) throws Exception {
    RMServerUtils.normalizeAndValidateRequests(asks,
        scheduler.getMaximumResourceCapability(app.queue), app.queue, scheduler, context,
        conf.getBoolean(YarnConfiguration.NODE_LABELS_ENABLED, false));
    allocate(app, asks, List.of(), List.of(), new ContainerUpdates());
  }

  // --- decisions

  /** One heartbeat of the node; what it gave. */
  List<Given> heartbeat(Node node) {
    scheduler.handle(new NodeUpdateSchedulerEvent(node.asRmNode));
    drain();
    List<Given> given = new ArrayList<>();
    for (ApplicationAttemptId attempt : new ArrayList<>(served)) {
      App app = apps.get(attempt);
      served.remove(attempt);
      if (app == null) continue;
      Allocation answer =
          allocate(app, List.of(), List.of(), List.of(), new ContainerUpdates());
      for (Container container : answer.getContainers()) {
        given.add(new Given(app, container.getId(), container.getNodeId().getHost()));
        launch(app, container);
      }
    }
    return given;
  }

  private void launch(App app, Container container) {
    if (!app.context.getUnmanagedAM() && app.master == null) {
      app.master = container;
      ((RMContainerImpl) scheduler.getRMContainer(container.getId())).setAMContainer(true);
      scheduler.getApplicationAttempt(app.attempt).setAmRunning(true);
    }
    Node on = nodes.get(container.getNodeId());
    if (on != null) {
      on.launched.add(
          ContainerStatus.newInstance(container.getId(), ContainerState.RUNNING, "", 0));
    }
  }

  /** A container that the scheduler does not count until it is promoted. */
  ContainerId runOpportunistic(App app, String host, Resource size) {
    var attempt = scheduler.getApplicationAttempt(app.attempt);
    ContainerId id = ContainerId.newContainerId(app.attempt, attempt.getNewContainerId());
    Container container = Container.newInstance(id, NodeId.newInstance(host, 1), host, size,
        Priority.newInstance(1), null);
    container.setExecutionType(ExecutionType.OPPORTUNISTIC);
    RMContainer made = SchedulerUtils.createOpportunisticRmContainer(context, container, false);
    made.handle(new RMContainerEvent(id, RMContainerEventType.ACQUIRED));
    nodes.get(container.getNodeId()).launched.add(
        ContainerStatus.newInstance(id, ContainerState.RUNNING, "", 0));
    drain();
    return id;
  }

  /** Children of a plan queue, besides its default one, with these shares of it. */
  void share(String plan, Map<String, Float> shares) throws Exception {
    PlanQueue queue = (PlanQueue) scheduler.getQueue(plan);
    String rest = queue.getQueueName() + "-default";
    addReserved(queue, rest);
    for (CSQueue child : new ArrayList<>(queue.getChildQueues())) {
      String name = child.getQueueName();
      if (name.equals(rest) || shares.containsKey(name)) continue;
      scheduler.setEntitlement(child.getQueuePath(), new QueueEntitlement(0, 1));
      if (((AbstractLeafQueue) child).getNumApplications() == 0) {
        scheduler.removeQueue(child.getQueuePath());
      }
    }
    scheduler.setEntitlement(plan + "." + rest, new QueueEntitlement(0, 1));
    float left = 1;
    for (Map.Entry<String, Float> share : shares.entrySet()) {
      addReserved(queue, share.getKey());
      scheduler.setEntitlement(
          plan + "." + share.getKey(), new QueueEntitlement(share.getValue(), 1));
      left -= share.getValue();
    }
    scheduler.setEntitlement(plan + "." + rest, new QueueEntitlement(left, 1));
    // What they are guaranteed follows the next node that comes or goes.
    Resource cluster = scheduler.getClusterResource();
    scheduler.getRootQueue().updateClusterResource(cluster, new ResourceLimits(cluster));
    drain();
  }

  private void addReserved(PlanQueue plan, String name) throws Exception {
    if (scheduler.getQueue(plan.getQueuePath() + "." + name) != null) return;
    scheduler.addQueue(new ReservationQueue(scheduler.getQueueContext(), name, plan));
  }

  boolean lives(ContainerId id) {
    RMContainer container = scheduler.getRMContainer(id);
    return container != null && !container.completed();
  }

  void look() {
    victims.clear();
    if (policy == null) {
      policy = new ProportionalCapacityPreemptionPolicy(context, scheduler, () -> nowMs);
    }
    policy.editSchedule();
    drain();
  }

  /** A method that only Hadoop's own package sees. */
  static void call(Object on, Class<?> declaring, String name, Class<?> type, Object value)
      throws Exception {
    Method method = declaring.getDeclaredMethod(name, type);
    method.setAccessible(true);
    try {
      method.invoke(on, value);
    } catch (InvocationTargetException error) {
      throw error.getCause() instanceof Exception cause ? cause : error;
    }
  }
}
