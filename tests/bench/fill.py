"""Many finished applications, quickly: each is submitted over REST and killed."""
import threading

from bench_cluster import BenchCluster, wait_until

THREADS = 8


def fill(cluster: BenchCluster, count: int) -> None:
    """Adds `count` killed applications."""
    numbers = iter(range(count))
    lock, failures = threading.Lock(), []

    def work():
        rest = cluster.rest()
        try:
            while not failures:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                application = rest.new_application()
                rest.submit(application, "sleep 600", f"application {number}")
                rest.kill(application)
        except (AssertionError, OSError) as error:
            failures.append(error)
        finally:
            rest.close()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cluster.check_alive()
    assert not failures, f"filling {cluster.side}: {failures[0]}"
    rest = cluster.rest()
    wait_until(f"{count} applications are killed", lambda: rest.count_killed() >= count, 120)
    rest.close()
