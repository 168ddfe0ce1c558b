#include "nodemanager/launch/script.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace heddle::nm {
namespace {

std::string recorded(const std::string& name) {
  std::ifstream file(std::string(HEDDLE_TEST_DATA) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The recorded script with its cp, chmod, ls and find replaced by `line`.
std::string with_debug_line(std::string text, const std::string& line) {
  const auto start = text.find("# Creating copy of launch script\n");
  const auto end = text.find("echo \"Launching container\"");
  EXPECT_TRUE(start < end && end != std::string::npos);
  return text.replace(start, end - start, line);
}

TEST(LaunchScript, OfAMapReduceMasterIsByteForByteWhatHadoopWroteButForTheDebugFiles) {
  const std::string app =
      "/lab/run/nm-local/usercache/root/appcache/application_1795312714741_0001";
  const std::string pwd = app + "/container_1795312714741_0001_01_000001";
  const std::string logs =
      "/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001";
  LaunchScript script;
  script.log_dir = logs;
  script.debug_program = "/usr/lib/heddle/heddle-debug-files";
  script.inherited = {{"JAVA_HOME", "/usr/lib/jvm/java-17-openjdk-amd64"},
                      {"HADOOP_CONF_DIR", "/lab/conf"},
                      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                      {"LANG", "C.UTF-8"}};
  script.node = {
      {"HADOOP_TOKEN_FILE_LOCATION", pwd + "/container_tokens"},
      {"CONTAINER_ID", "container_1795312714741_0001_01_000001"},
      {"NM_PORT", "8041"},
      {"NM_HOST", "localhost"},
      {"NM_HTTP_PORT", "8042"},
      {"LOCAL_DIRS", app},
      {"LOCAL_USER_DIRS", "/lab/run/nm-local/usercache/root/"},
      {"LOG_DIRS", logs},
      {"USER", "root"},
      {"LOGNAME", "root"},
      {"HOME", "/home/"},
      {"PWD", pwd},
      {"LOCALIZATION_COUNTERS", "536752,0,4,0,1568"},
      {"JVM_PID", "$$"},
      {"NM_AUX_SERVICE_mapreduce_shuffle", "AAA0+gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}};
  script.container = order_by_use(
      {{"APPLICATION_WEB_PROXY_BASE", "/proxy/application_1795312714741_0001"},
       {"SHELL", "/bin/bash"},
       {"CLASSPATH",
        expand_tokens("{{PWD}}<CPS>/lab/conf<CPS>/lab/lib/*<CPS>/lab/conf:/lab/lib/*<CPS>job.jar/"
                      "*<CPS>job.jar/classes/<CPS>job.jar/lib/*<CPS>{{PWD}}/*",
                      logs, true)},
       {"APP_SUBMIT_TIME_ENV", "1795312736242"},
       {"LD_LIBRARY_PATH", expand_tokens("$PWD:{{HADOOP_COMMON_HOME}}/lib/native", logs, true)},
       {"MALLOC_ARENA_MAX", ""}});
  script.links = {{app + "/filecache/10/job.splitmetainfo", "jobSubmitDir/job.splitmetainfo"},
                  {app + "/filecache/11/job.jar", "job.jar"},
                  {app + "/filecache/12/job.split", "jobSubmitDir/job.split"},
                  {app + "/filecache/13/job.xml", "job.xml"}};
  script.commands = {expand_tokens(
      "$JAVA_HOME/bin/java -Djava.io.tmpdir=$PWD/tmp "
      "-Dlog4j.configuration=container-log4j.properties -Dyarn.app.container.log.dir=<LOG_DIR> "
      "-Dyarn.app.container.log.filesize=0 -Dhadoop.root.logger=INFO,CLA "
      "-Dhadoop.root.logfile=syslog  -Xmx1024m <ADD_OPENS> "
      "org.apache.hadoop.mapreduce.v2.app.MRAppMaster 1><LOG_DIR>/stdout 2><LOG_DIR>/stderr ",
      logs, true)};
  EXPECT_EQ(to_text(script),
            with_debug_line(recorded("launch-mr-am.sh"),
                            "\"/usr/lib/heddle/heddle-debug-files\" \"" + logs + "\" || true\n"));
}

TEST(LaunchScript, JoinsCommandsByOneBlankAndEscapesNothing) {
  LaunchScript script;
  script.log_dir = "/l";
  script.commands = {"a \"b\"", "c"};
  EXPECT_TRUE(to_text(script).ends_with("exec /bin/bash -c \"a \"b\" c\"\n"));
}

TEST(LaunchScript, LeavesTheDebugCopiesOutWhenTheyAreOff) {
  LaunchScript script;
  EXPECT_EQ(to_text(script).find("debug"), std::string::npos);
}

TEST(ExpandTokens, ReplacesWhatHadoopReplaces) {
  EXPECT_EQ(expand_tokens("{{A}}<CPS>{{B}}/<LOG_DIR>", "/log", true), "$A:$B//log");
  EXPECT_EQ(expand_tokens("<ADD_OPENS>", "/log", false), "");
  EXPECT_EQ(expand_tokens("<ADD_OPENS>", "/log", true),
            "--add-opens=java.base/java.lang=ALL-UNNAMED "
            "--add-exports=java.base/sun.net.dns=ALL-UNNAMED "
            "--add-exports=java.base/sun.net.util=ALL-UNNAMED");
}

TEST(OrderByUse, PutsAVariableAfterThoseItMentions) {
  const Variables ordered =
      order_by_use({{"A", "$B:${C}"}, {"B", "1"}, {"C", "$B"}, {"D", "$PWD"}});
  EXPECT_EQ(ordered, (Variables{{"B", "1"}, {"C", "$B"}, {"A", "$B:${C}"}, {"D", "$PWD"}}));
}

TEST(OrderByUse, KeepsVariablesThatMentionEachOther) {
  const Variables ordered = order_by_use({{"A", "$B"}, {"B", "$A"}});
  EXPECT_EQ(ordered.size(), 2U);
}

TEST(OrderByUse, SurvivesAChainOfTenThousandVariables) {
  Variables chain;
  for (int i = 0; i < 10'000; ++i) {
    chain.emplace_back("V" + std::to_string(i), "$V" + std::to_string(i + 1));
  }
  EXPECT_EQ(order_by_use(chain).front().first, "V9999");
}

}  // namespace
}  // namespace heddle::nm
