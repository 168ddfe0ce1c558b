"""Spark 3.5 by PySpark."""
import re

import pytest

import fetch

pytestmark = pytest.mark.spark
SHUFFLE = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("shuffle").getOrCreate()
numbers = spark.sparkContext.parallelize(range(100000), 4)
sums = numbers.map(lambda n: (n % 10, n)).reduceByKey(lambda a, b: a + b, 3).collectAsMap()
print("sums", sorted(sums.items()))
spark.stop()
"""


def pi_program():
    return next(fetch.spark().glob("lib/python3*/site-packages/pyspark/examples/src/main/python/pi.py"))


def newest(cluster):
    return max(cluster.apps(), key=lambda app: app["id"])


def test_pi_in_client_mode(cluster):
    answer = cluster.clients.spark_submit("--deploy-mode", "client", pi_program(), 4).ok()
    assert re.search(r"Pi is roughly 3\.1", answer.out), str(answer)
    app = cluster.wait_for_state(newest(cluster)["id"], "FINISHED")
    assert (app["finalStatus"], app["applicationType"]) == ("SUCCEEDED", "SPARK")


def test_pi_in_cluster_mode(cluster):
    answer = cluster.clients.spark_submit("--deploy-mode", "cluster", pi_program(), 4).ok()
    app = cluster.wait_for_state(answer.application(), "FINISHED")
    assert app["finalStatus"] == "SUCCEEDED", str(answer)


def test_a_shuffle_adds_up(cluster):
    program = cluster.folder / "shuffle.py"
    program.write_text(SHUFFLE, encoding="ascii")
    answer = cluster.clients.spark_submit("--deploy-mode", "client", program).ok()
    expected = [(d, sum(range(d, 100000, 10))) for d in range(10)]
    assert f"sums {expected}" in answer.out, str(answer)


def test_a_failing_driver_fails_the_application(cluster):
    program = cluster.folder / "broken.py"
    program.write_text("from pyspark.sql import SparkSession\n"
                       "SparkSession.builder.getOrCreate()\nraise SystemExit(3)\n")
    answer = cluster.clients.spark_submit("--conf", "spark.yarn.maxAppAttempts=1",
                                          "--deploy-mode", "cluster", program)
    assert answer.code != 0
    assert cluster.wait_for_state(answer.application(), "FINISHED")["finalStatus"] == "FAILED"
