#!/usr/bin/env python3
"""Brings unmodified Hadoop and Spark into the cache folder, once.

    fetch.py hadoop      prints the folder of the jars
    fetch.py spark       prints the folder of the virtual environment

The cache is $HEDDLE_CACHE, else ${XDG_CACHE_HOME:-$HOME/.cache}/heddle.
"""
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SPARK = "pyspark==3.5.6"


def cache() -> pathlib.Path:
    """The cache folder, made when it is not there."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = pathlib.Path(os.environ.get("HEDDLE_CACHE") or os.path.join(base, "heddle"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fetched(name: str, key: str, fill) -> pathlib.Path:
    """cache()/name filled by fill(folder) unless that was done for the same key. One at a time."""
    folder = cache() / name
    done = cache() / f"{name}.done"
    with open(cache() / f"{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (done.exists() and done.read_text() == key and folder.is_dir()):
            done.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)  # of another version: both would be loaded
            fill(folder)
            done.write_text(key)
    return folder


def run(*command: str) -> None:
    answer = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    if answer.returncode != 0:
        raise SystemExit(f"{' '.join(command[:3])} ... ended with {answer.returncode}:\n"
                         f"{answer.stdout[-4000:]}")


def hadoop() -> pathlib.Path:
    """The folder with the jars of Hadoop and all that they need."""
    pom = HERE / "pom.xml"

    def fill(folder: pathlib.Path) -> None:
        run("mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies",
            "-DincludeScope=runtime", f"-DoutputDirectory={folder}")

    return fetched("hadoop", hashlib.sha256(pom.read_bytes()).hexdigest(), fill)


def spark() -> pathlib.Path:
    """A virtual environment with PySpark (which carries Spark's jars)."""
    def fill(folder: pathlib.Path) -> None:
        run(sys.executable, "-m", "venv", "--clear", str(folder))
        run(str(folder / "bin" / "pip"), "-q", "install", SPARK, "setuptools")

    return fetched("spark", SPARK, fill)


if __name__ == "__main__":
    wanted = {"hadoop": hadoop, "spark": spark}.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if wanted is None:
        sys.exit(__doc__)
    print(wanted())
