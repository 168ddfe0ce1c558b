"""Input, output and job files in real HDFS."""
import pytest

from test_mapreduce import read_counts, write_words

pytestmark = pytest.mark.hdfs


@pytest.mark.heavy
def test_wordcount_from_and_to_hdfs(new_cluster):
    cluster = new_cluster(hdfs=True)
    expected = write_words(cluster.folder / "words")
    clients = cluster.clients
    clients.fs("-mkdir", "-p", "/in").ok()
    clients.fs("-put", *sorted((cluster.folder / "words").iterdir()), "/in").ok()
    clients.example("wordcount", "-Dmapreduce.job.reduces=2", "/in", "/out").ok()
    printed = clients.fs("-cat", "/out/part-r-00000", "/out/part-r-00001").ok()
    assert read_counts([printed.out]) == expected
