"""The scenarios of tests/scenario on Hadoop's own CapacityScheduler, in one process.

What it does otherwise stands in tests/scenario/hadoop-differences.tsv, with the reason; a user
reads it in docs/differences.md. --against java --update-golden writes both anew: give new rows
their reason by hand, then write once more."""
import re
import subprocess

import pytest

import fetch
import hadoop
from cluster import ROOT

pytestmark = pytest.mark.scenarios
FOLDER = ROOT / "tests" / "scenario"
LIST = FOLDER / "hadoop-differences.tsv"
PAGE = ROOT / "docs" / "differences.md"
NOT_COMPARED = {"Hadoop has no such sentences", "Hadoop keeps no such sums"}
NO_REASON = "?"


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """(scenario, line, verdict, ours, Hadoop's) of each expectation."""
    classes = tmp_path_factory.mktemp("classes")
    path = f"{classes}:{fetch.hadoop()}/*"
    sources = sorted(map(str, (FOLDER / "hadoop").glob("*.java")))
    made = subprocess.run(
        [hadoop.java_home() + "/bin/javac", "-nowarn", "-proc:none", "-cp", path, "-d", classes,
         *sources], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    by_types = {}  # Hadoop has one table of resource types in a process
    for file in sorted(FOLDER.glob("*.scenario")):
        types = re.search(r"^types .*", file.read_text("utf-8"), re.MULTILINE)
        by_types.setdefault(types and types.group(), []).append(file)
    found = []
    for files in by_types.values():
        run = subprocess.run(hadoop.java_command(classes, "ScenarioRunner", *files),
                             capture_output=True, text=True, timeout=300, check=False)
        assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-8000:]
        found += [tuple(line.split("\t")) for line in run.stdout.splitlines()]
    return sorted(found, key=lambda row: (row[0], int(row[1])))


def listed() -> dict:
    """(scenario, line, ours, Hadoop's) -> reason."""
    known = {}
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            *key, reason = line.split("\t")
            known[tuple(key)] = reason
    return known


def write_list(found: list) -> None:
    known = listed() if LIST.exists() else {}
    # A line moves when its file changes: then the same difference keeps its reason.
    moved = {(key[0], *key[2:]): reason for key, reason in known.items()}
    lines = ["# scenario\tline\tours\tHadoop's\treason"]
    for key in found:
        reason = known.get(key) or moved.get((key[0], *key[2:]), NO_REASON)
        lines.append("\t".join((*key, reason)))
    LIST.write_text("\n".join(lines) + "\n", encoding="utf-8")


def page() -> str:
    """What a user reads: the differences by reason, in the order of the list."""
    by_reason = {}
    for key, reason in listed().items():
        by_reason.setdefault(reason, []).append(key)
    parts = [
        "# Where scheduling differs from Hadoop's CapacityScheduler", "",
        "Generated from `tests/scenario/hadoop-differences.tsv` by `tools/test interop --against "
        "java --update-golden test_scenarios.py`.", "",
        "The scenarios of `tests/scenario` run on the scheduler of Heddle and on that of Hadoop "
        "3.4.2. What they expect and is not named here is the same on both.",
        "Each point is a reason; below it the lines of scenarios where it shows, what Heddle "
        "does there, and what Hadoop does.", ""]
    for reason, keys in by_reason.items():
        parts.append(f"- {reason}.")
        for scenario, line, ours, theirs in keys:
            what = FOLDER.joinpath(scenario).read_text("utf-8").splitlines()[int(line) - 1]
            name = scenario.removesuffix(".scenario")
            parts.append(f"  - [{name}](../tests/scenario/{scenario}), line {line}, `{what}`: "
                         f"{ours}; Hadoop: {theirs}")
    return "\n".join(parts) + "\n"


def test_the_real_scheduler_does_the_same_but_for_what_is_listed(rows, pytestconfig):
    found = [(row[0], row[1], row[3], row[4]) for row in rows if row[2] == "differs"]
    if pytestconfig.getoption("--update-golden"):
        write_list(found)
        PAGE.write_text(page(), encoding="utf-8")
    known = listed()
    new = ["\t".join(key) for key in found if key not in known]
    gone = ["\t".join(key) for key in known if key not in found]
    assert not new, "differences that are not listed:\n" + "\n".join(new)
    assert not gone, "listed differences that are not there any more:\n" + "\n".join(gone)


def test_most_is_compared_and_what_is_not_has_a_known_reason(rows):
    skipped = {row[4] for row in rows if row[2] == "skipped"}
    assert skipped <= NOT_COMPARED, skipped
    compared = {row[0] for row in rows if row[2] != "skipped"}
    assert compared == {file.name for file in FOLDER.glob("*.scenario")}


def test_each_difference_has_a_reason_and_stands_on_the_page():
    wrong = [key for key, reason in listed().items() if not re.match(r"\w.{10,}", reason)]
    assert not wrong, wrong
    assert PAGE.read_text(encoding="utf-8") == page()
