#!/usr/bin/env python3
"""Heddle beside real Hadoop 3.4.2 on this machine: ours, theirs, ours, theirs, ...

    tools/bench [NAME...] [--rounds N] [--json FILE] [--nodes N] [--masters N]

Prints a Markdown table of medians and ratios. docs/benchmarks.md says what each figure means.
"""
import argparse
import collections
import contextlib
import datetime
import importlib
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys

import figure
import load
from cluster import BIN, ROOT

FIGURES = ("start", "memory", "submit", "cli", "restart", "jobs", "heartbeats", "allocate")
OF_NODES = ("heartbeats", "allocate")  # their figures depend on --nodes
BY_NAME = ("trace",)  # too long for everything: half an hour a round


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def numbers(text: str) -> list:
    """Of "100,1000"."""
    return [int(part) for part in text.split(",")]


def planned(names, nodes: list):
    """Each figure, and once for each number of nodes where that matters."""
    for name in names:
        for number in nodes if name in OF_NODES else nodes[:1]:
            yield name, number


def measure(name: str, count: int) -> list:
    """The lines of one figure's table, after `count` rounds on each side in turn."""
    module = importlib.import_module(name)
    sides = getattr(module, "SIDES", figure.SIDES)
    samples = {side: collections.defaultdict(list) for side in sides}
    with contextlib.ExitStack() as stack:
        rounds = {side: stack.enter_context(contextlib.closing(module.rounds(side)))
                  for side in sides}
        steps = getattr(module, "STEPS", 1)
        for number in range(count * steps):
            for side in sides:
                new = next(rounds[side])
                for key, values in new.items():
                    samples[side][key] += values
                say(f"{name}: round {number // steps + 1} of {count}: {side}: "
                    + ", ".join(f"{key} {figure.shown(figure.percentile(values, 50))}"
                                for key, values in new.items()))
    return [figure.line(row, {side: samples[side][row.key] for side in sides})
            for row in module.ROWS]


def about() -> dict:
    """Where and of what the figures were taken."""
    processor = next((line.split(":", 1)[1].strip()
                      for line in pathlib.Path("/proc/cpuinfo").read_text("utf-8").splitlines()
                      if line.startswith("model name")), platform.machine())
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    version = subprocess.run([str(BIN / "heddle-rm"), "--version"], capture_output=True, text=True,
                             check=False).stdout.strip()
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True, check=False).stdout.strip()
    return {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "cores": os.cpu_count(), "processor": processor, "load": os.getloadavg()[0],
            "kernel": platform.release(), "java": java.splitlines()[0], "heddle": version,
            "commit": commit}


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FIGURES)}; all; or {', '.join(BY_NAME)}")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side (3)")
    parser.add_argument("--nodes", type=numbers, default=[load.nodes], metavar="N[,N...]",
                        help=f"fake nodes of heartbeats and allocate ({load.nodes}); of several "
                             "numbers it also tells by what law the cost grows")
    parser.add_argument("--masters", type=int, default=load.masters,
                        help=f"fake masters of allocate ({load.masters})")
    parser.add_argument("--json", type=pathlib.Path, help="where every sample goes")
    options = parser.parse_args()
    unknown = set(options.names) - set(FIGURES + BY_NAME)
    if unknown or options.rounds < 1:
        parser.error(f"no such figure: {', '.join(unknown)}" if unknown else "--rounds: at least 1")
    if min(options.nodes) < 1 or options.masters < 1:
        parser.error("--nodes, --masters: at least 1")
    load.masters = options.masters
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # closes the clusters on its way
    result = {"machine": about(), "rounds": options.rounds, "nodes": options.nodes,
              "masters": options.masters, "figures": {}}
    for name, nodes in planned(options.names or FIGURES, options.nodes):
        load.nodes = nodes
        try:
            lines = measure(name, options.rounds)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            say(f"tools/bench: {name}: {error}")
            return 1
        if name in OF_NODES:
            lines = [{**entry, "figure": name, "nodes": nodes} for entry in lines]
        result["figures"].setdefault(name, []).extend(lines)
        if options.json:  # what is measured stays, whatever comes after
            options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    everything = [entry for lines in result["figures"].values() for entry in lines]
    print(figure.table(everything))
    if len(options.nodes) > 1:
        print(figure.laws(everything, "nodes"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
