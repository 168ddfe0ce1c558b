#!/usr/bin/env python3
"""What tools/quickstart does once all is built: a cluster, a real job, its result.

    quickstart.py [--keep]     --keep leaves the cluster up and tells how to stop it
"""
import re
import signal
import sys

import fetch
from cluster import Cluster


def say(text: str) -> None:
    print(text, flush=True)


def run_job(cluster: Cluster) -> None:
    """Runs pi with the unmodified MapReduce client and prints what came out."""
    say("Running the MapReduce job pi 2 10 with the unmodified Hadoop client ...")
    answer = cluster.clients.example("pi", 2, 10)
    if answer.code != 0:
        raise AssertionError(f"the job failed:\n{answer}")
    result = re.search(r"Estimated value of Pi is \S+", answer.out)
    app = cluster.wait_for_state(answer.application(), "FINISHED")
    say("")
    say(f"Result:       {result.group() if result else 'none'}")
    say(f"Application:  {app['id']}  state {app['state']}, final status {app['finalStatus']}")
    say(f"Web address:  http://localhost:{cluster.port['web']}/cluster")
    if app["finalStatus"] != "SUCCEEDED" or result is None:
        raise AssertionError(f"the job did not succeed:\n{answer}")


def keep(cluster: Cluster) -> None:
    pids = " ".join(str(daemon.process.pid) for daemon in cluster.daemons.values())
    say("")
    say(f"Left up. Configuration for clients:  export HADOOP_CONF_DIR={cluster.conf}")
    say(f"Stop it with:  kill {pids}; then remove {cluster.folder}")


def main() -> int:
    if sys.argv[1:] not in ([], ["--keep"]):
        print(__doc__, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say("Fetching Hadoop (once) ...")
    fetch.hadoop()
    say("Starting heddle-rm and heddle-nm ...")
    cluster = Cluster()
    kept = False
    try:
        cluster.start()
        run_job(cluster)
        if sys.argv[1:]:
            keep(cluster)
            kept = True
        return 0
    except AssertionError as error:
        print(f"tools/quickstart: {error}\n\n{cluster.logs()}", file=sys.stderr)
        return 1
    finally:
        for complaint in [] if kept else cluster.close():
            print(f"tools/quickstart: {complaint}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
