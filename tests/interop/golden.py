"""What commands print on real Hadoop, without ids, ports, times and the like, and the comparison.

The files in golden/ are written by `--against java --update-golden` and by nothing else: they hold
what an unmodified client says to a real ResourceManager.
"""
import difflib
import getpass
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent / "golden"
# In this order; what is replaced is not looked at again.
REPLACED = (
    (r"container_(?:e\d+_)?\d{9,}_\d{4,}_(\d+_\d+)", r"container_<app>_\1"),
    (r"appattempt_\d{9,}_\d{4,}_(\d+)", r"appattempt_<app>_\1"),
    (r"(application|job)_\d{9,}_\d{4,}", r"\1_<id>"),
    (r"(localhost|127\.0\.0\.1):\d+", r"\1:<port>"),
    (r"RPC Port : \d+", "RPC Port : <port>"),
    (r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d [-+]\d{4} \d{4}", "<time>"),
    (r"\w{3} \d\d/\w{3}/\d\d \d\d:\d\d:\d\d:\d+\w+", "<time>"),  # Sun 22/Nov/26 02:01:25:12UTC
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+[-+]\d{4}", "<time>"),
    (r"(?<!\d)\d{13}(?!\d)", "<ms>"),
    (r"(RemainingTime : )\d+seconds", r"\1<n>seconds"),
    (r"(Aggregate Resource Allocation : )\d+ MB-seconds, \d+ vcore-seconds",
     r"\1<n> MB-seconds, <n> vcore-seconds"),
    (r"(Progress : |RUNNING\s+UNDEFINED\s+)(?!100%)[\d.]+%", r"\1<n>%"),
    (r"(PMem:|VMem:)\d+ MB", r"\1<n> MB"),
    (r"VCores:[\d.]+", "VCores:<n>"),
)


# Of standard error: log lines of the client and frames of stack traces.
NOISE = re.compile(r"\d{4}-\d\d-\d\d |\s+at |Caused by: |\s+\.\.\. \d+ more|SLF4J")


def transcript(answer, folder: pathlib.Path, sort: bool = False) -> list:
    """What a client said, as lines that are the same in each run. `sort`: rows in any order."""
    out = normalised(answer.out, folder)
    if sort:
        rows = [line for line in out if re.match(r" ?(application|container|job)_", line)]
        out = [line for line in out if line not in rows] + sorted(rows)
    errors = [line for line in answer.err.splitlines() if line and not NOISE.match(line)]
    return [*out, *(f"stderr: {line}" for line in normalised("\n".join(errors), folder)),
            f"exit {answer.code}"]


def normalised(text: str, folder: pathlib.Path) -> list:
    """The lines of `text` without what differs from run to run; padding becomes one blank."""
    text = text.replace(str(folder), "<folder>")
    for pattern, replacement in REPLACED:
        text = re.sub(pattern, replacement, text)
    user = re.escape(getpass.getuser())  # may be the name of a queue as well
    text = re.sub(rf"(?<!Queue Name : )(?<!Queue Path : )(?<![\w.]){user}(?![\w.])", "<user>", text)
    return [re.sub(r"[ \t]+", " ", line).rstrip() for line in text.splitlines()]


def check(name: str, lines: list, update: bool) -> None:
    """Compares with golden/<name>.txt, or writes it."""
    file = FOLDER / f"{name}.txt"
    if update:
        FOLDER.mkdir(exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return
    assert file.exists(), f"{file} is not there: run with --against java --update-golden"
    expected = file.read_text(encoding="utf-8").splitlines()
    difference = list(difflib.unified_diff(expected, lines, "real Hadoop", "this run",
                                           lineterm="", n=20))
    assert not difference, "\n".join([f"{name}:", *difference])
