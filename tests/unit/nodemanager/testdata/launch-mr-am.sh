#!/bin/bash

set -o pipefail -e
export PRELAUNCH_OUT="/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001/prelaunch.out"
exec >"${PRELAUNCH_OUT}"
export PRELAUNCH_ERR="/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001/prelaunch.err"
exec 2>"${PRELAUNCH_ERR}"
echo "Setting up env variables"
export JAVA_HOME=${JAVA_HOME:-"/usr/lib/jvm/java-17-openjdk-amd64"}
export HADOOP_CONF_DIR=${HADOOP_CONF_DIR:-"/lab/conf"}
export PATH=${PATH:-"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
export LANG=${LANG:-"C.UTF-8"}
export HADOOP_TOKEN_FILE_LOCATION="/lab/run/nm-local/usercache/root/appcache/application_1795312714741_0001/container_1795312714741_0001_01_000001/container_tokens"
export CONTAINER_ID="container_1795312714741_0001_01_000001"
export NM_PORT="8041"
export NM_HOST="localhost"
export NM_HTTP_PORT="8042"
export LOCAL_DIRS="/lab/run/nm-local/usercache/root/appcache/application_1795312714741_0001"
export LOCAL_USER_DIRS="/lab/run/nm-local/usercache/root/"
export LOG_DIRS="/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001"
export USER="root"
export LOGNAME="root"
export HOME="/home/"
export PWD="/lab/run/nm-local/usercache/root/appcache/application_1795312714741_0001/container_1795312714741_0001_01_000001"
export LOCALIZATION_COUNTERS="536752,0,4,0,1568"
export JVM_PID="$$"
export NM_AUX_SERVICE_mapreduce_shuffle="AAA0+gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
export APPLICATION_WEB_PROXY_BASE="/proxy/application_1795312714741_0001"
export SHELL="/bin/bash"
export CLASSPATH="$PWD:/lab/conf:/lab/lib/*:/lab/conf:/lab/lib/*:job.jar/*:job.jar/classes/:job.jar/lib/*:$PWD/*"
export APP_SUBMIT_TIME_ENV="1795312736242"
export LD_LIBRARY_PATH="$PWD:$HADOOP_COMMON_HOME/lib/native"
export MALLOC_ARENA_MAX=""
echo "Setting up job resources"
mkdir -p jobSubmitDir
ln -sf -- "/lab/run/nm-local/usercache/root/appcache/application_1795312714741_0001/filecache/10/job.splitmetainfo" "jobSubmitDir/job.splitmetainfo"
ln -sf -- "/lab/run/nm-local/usercache/root/appcache/application_1795312714741_0001/filecache/11/job.jar" "job.jar"
mkdir -p jobSubmitDir
ln -sf -- "/lab/run/nm-local/usercache/root/appcache/application_1795312714741_0001/filecache/12/job.split" "jobSubmitDir/job.split"
ln -sf -- "/lab/run/nm-local/usercache/root/appcache/application_1795312714741_0001/filecache/13/job.xml" "job.xml"
echo "Copying debugging information"
# Creating copy of launch script
cp "launch_container.sh" "/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001/launch_container.sh"
chmod 640 "/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001/launch_container.sh"
# Determining directory contents
echo "ls -l:" 1>"/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001/directory.info"
ls -l 1>>"/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001/directory.info"
echo "find -L . -maxdepth 5 -ls:" 1>>"/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001/directory.info"
find -L . -maxdepth 5 -ls 1>>"/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001/directory.info"
echo "broken symlinks(find -L . -maxdepth 5 -type l -ls):" 1>>"/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001/directory.info"
find -L . -maxdepth 5 -type l -ls 1>>"/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001/directory.info"
echo "Launching container"
exec /bin/bash -c "$JAVA_HOME/bin/java -Djava.io.tmpdir=$PWD/tmp -Dlog4j.configuration=container-log4j.properties -Dyarn.app.container.log.dir=/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001 -Dyarn.app.container.log.filesize=0 -Dhadoop.root.logger=INFO,CLA -Dhadoop.root.logfile=syslog  -Xmx1024m --add-opens=java.base/java.lang=ALL-UNNAMED --add-exports=java.base/sun.net.dns=ALL-UNNAMED --add-exports=java.base/sun.net.util=ALL-UNNAMED org.apache.hadoop.mapreduce.v2.app.MRAppMaster 1>/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001/stdout 2>/lab/run/nm-logs/application_1795312714741_0001/container_1795312714741_0001_01_000001/stderr "
