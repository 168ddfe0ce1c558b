"""From the submission to the first instruction of the ApplicationMaster, on an idle cluster."""
import pathlib
import random
import time

from bench_cluster import BenchCluster, Rest, wait_until
from figure import Row

ROWS = (Row("launch", "submit to ApplicationMaster running, p50", "ms", "<= 15 ms; 50x"),
        Row("launch", "submit to ApplicationMaster running, p99", "ms", "<= 50 ms", 99),
        Row("answer", "submit answered, p50", "ms"))
WARM_UP, EACH_STEP, STEPS = 3, 5, 4
FINAL = ("FINISHED", "FAILED", "KILLED")


def one(rest: Rest, folder: pathlib.Path, pause: random.Random) -> tuple:
    """Milliseconds to (the process, the answer) of one submission."""
    time.sleep(pause.uniform(0.2, 1.2))  # so that it falls anywhere between two heartbeats
    application = rest.new_application()
    stamp = folder / application
    begin, start = time.time_ns(), time.monotonic()
    rest.submit(application, f"date +%s%N >{stamp}.new && mv {stamp}.new {stamp}")
    answered = time.monotonic() - start
    wait_until(f"{application} writes its start", stamp.exists, 60)

    def over():
        return rest.get(f"apps/{application}")["app"]["state"] in FINAL
    wait_until(f"{application} is over", over, 60)
    return (int(stamp.read_text()) - begin) / 1e6, answered * 1000


def rounds(side: str):
    with BenchCluster(side) as cluster:
        pause = random.Random(1)
        folder = cluster.folder / "stamps"
        folder.mkdir()
        count = WARM_UP + EACH_STEP
        while True:
            rest = cluster.rest()  # one left idle for long would be closed
            times = [one(rest, folder, pause) for _ in range(count)][-EACH_STEP:]
            rest.close()
            cluster.check_alive()
            count = EACH_STEP
            yield {"launch": [launch for launch, _ in times],
                   "answer": [answer for _, answer in times]}
