#!/usr/bin/env python3
"""One trace on Heddle's scheduler and on Hadoop's: how well they share, not how fast they are.

    tests/bench/trace.py [--nodes N] [--tenants N] [--minutes M] [--tasks N] [--load SHARE]
                         [--variant NAME] [--ours] [--keep FOLDER [--again]]

The same trace, settings and intervals: ours in `heddle sim run` (virtual time), Hadoop's in its
Scheduler Load Simulator (real time: each round takes twice the trace's length and more).
docs/benchmarks.md says what the figures mean. Also a figure of tools/bench: `tools/bench trace`.
"""
import argparse
import collections
import contextlib
import dataclasses
import json
import math
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import figure
import sls
from bench_cluster import interop
from cluster import BIN
from figure import Row

VARIANTS = ("waits", "preempts")
MONITOR = "yarn.resourcemanager.monitor.capacity.preemption."
SETTINGS = {
    "yarn.resourcemanager.scheduler.class": sls.RM + "scheduler.capacity.CapacityScheduler",
    "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": 1000,
    "yarn.scheduler.minimum-allocation-mb": 1024,
    # Hadoop's default is one such container a heartbeat; ours has no such limit.
    "yarn.scheduler.capacity.per-node-heartbeat.maximum-offswitch-assignments": 100,
    "yarn.resourcemanager.am.max-attempts": 4,
    # An AM of the Load Simulator that asks again after a loss gets containers that it never
    # starts; they must not be held for the usual ten minutes.
    "yarn.resourcemanager.rm.container-allocation.expiry-interval-ms": 30_000,
    MONITOR + "monitoring_interval": 1000,
    MONITOR + "max_wait_before_kill": 5000}
CONTAINER_MB = 3277  # the mean task of make-trace


@dataclasses.dataclass
class Size:
    """What `heddle sim make-trace` is asked for."""
    nodes: int = 500
    tenants: int = 50
    minutes: float = 6
    tasks: int = 36_000
    load: float = 1.1
    node_mb: int = 16_384
    seed: int = 19


size = Size()


class Work:
    """A folder with the trace in both forms and a configuration for each variant."""

    def __init__(self, wanted: Size, folder: pathlib.Path):
        self.size, self.folder = wanted, folder
        trace = folder / "t.trace"
        sim("make-trace", "--to", trace, "--seed", wanted.seed, "--nodes", wanted.nodes,
            "--node-memory", wanted.node_mb, "--node-vcores", 32, "--nodes-per-rack", wanted.nodes,
            "--tenants", wanted.tenants, "--users", 2, "--tasks", wanted.tasks, "--tasks-per-job",
            30, "--hours", wanted.minutes / 60, "--load", wanted.load, "--wave", 0, "--failures", 0)
        # Our core knows one rack.
        trace.write_text(trace.read_text("utf-8").replace(" /rack0 ", " /default-rack "), "utf-8")
        self.jobs, self.nodes = folder / "jobs.json", folder / "nodes.json"
        queues = folder / "queues.xml"
        sim("convert", trace, "--to", self.jobs, "--nodes-to", self.nodes, "--queues-to", queues)
        rows = [json.loads(line) for line in self.jobs.read_text("utf-8").splitlines()]
        self.count = len(rows)
        self.asked_mb = sum(row["am.memory-mb"] + sum(
            task["count"] * task["container.memory-mb"] for task in row["job.tasks"])
            for row in rows)
        starts = [row["job.start.ms"] / 1000 for row in rows]
        self.length_s = max(starts) - min(starts)
        self.total_mb = wanted.nodes * wanted.node_mb
        self.first_mb = collections.defaultdict(list)  # of each job's first stage, by queue
        for row in rows:
            self.first_mb["root." + row["job.queue.name"]].append(sum(
                task["count"] * task["container.memory-mb"] for task in row["job.tasks"]
                if task["container.type"] == "map"))
        self.ports = {}
        for variant in VARIANTS:
            conf = folder / variant
            conf.mkdir(exist_ok=True)
            waits = variant == "waits"
            text = queues.read_text("utf-8")
            if waits:  # the Load Simulator always switches the monitor on
                text = text.replace("<configuration>", "<configuration><property><name>yarn."
                                    "scheduler.capacity.root.disable_preemption</name><value>true"
                                    "</value></property>", 1)
            (conf / "capacity-scheduler.xml").write_text(text, "utf-8")
            self.ports[variant] = sls.write_conf(
                conf, [f"n{number}" for number in range(wanted.nodes)],
                {**SETTINGS, "yarn.resourcemanager.scheduler.monitor.enable": str(not waits).lower(),
                 "yarn.scheduler.maximum-allocation-mb": wanted.node_mb,
                 "yarn.scheduler.maximum-allocation-vcores": 32})

    def ours(self, variant: str) -> sls.Run:
        details = self.folder / variant / "details"
        said = sim("run", self.jobs, "--nodes", self.nodes, "--conf", self.folder / variant,
                   "--am-as-sls", "--am-start", 0, "--sample", 1, "--details", details,
                   "-o", "json")
        report = json.loads(said)
        (self.folder / variant / "report.json").write_text(said, "utf-8")
        counters = {**report["counters"], "victims": report["counters"].get("victims gone", 0),
                    "lost_mb_s": report["counters"].get("lost MB hours", 0) * 3600}
        return sls.read_details(details, counters)

    def theirs(self, variant: str) -> sls.Run:
        return sls.run(self.folder / variant, self.jobs, self.nodes, self.ports[variant],
                       self.count, self.length_s)


def sim(*words) -> str:
    done = subprocess.run([str(BIN / "heddle-sim"), *map(str, words)], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, f"heddle sim {words[0]}: {done.stderr.strip()}"
    return done.stdout


def lacks(leaf: tuple, unasked_mb: int = 0) -> int:
    """What is guaranteed to a queue, wanted by it and not given, in MB (docs/simulator.md)."""
    guaranteed, maximum, used, pending = leaf
    return max(0, min(guaranteed, maximum, used + max(0, pending) + unasked_mb) - used)


def unasked(run: sls.Run, work: Work) -> dict:
    """Of each queue (from, until, MB): what a job cannot ask for while its AM waits for a place."""
    waiting, seen = collections.defaultdict(list), collections.Counter()
    for job in sorted(run.jobs, key=lambda one: one.submitted_s):
        until = math.inf if job.master_s is None else job.master_s
        waiting[job.queue].append((job.submitted_s, until,
                                   work.first_mb[job.queue][seen[job.queue]]))
        seen[job.queue] += 1
    return waiting


def figures(run: sls.Run, work: Work) -> dict:
    """The figures of one run of either side."""
    begin = min(job.submitted_s for job in run.jobs)
    end = max(job.ended_s for job in run.jobs if job.ended_s)
    samples = [one for one in run.samples if begin <= one.at_s <= end]
    busy = [one for one in samples if one.at_s <= begin + work.length_s]
    asked = [sum(leaf[3] for leaf in one.leaves.values()) for one in samples]
    pressed = [one for one, mb in zip(samples, asked) if mb > 0.1 * work.total_mb]
    waited = sum((after.at_s - before.at_s) * mb
                 for before, after, mb in zip(samples, samples[1:], asked))
    errors = [sum(map(lacks, one.leaves.values())) / work.total_mb for one in samples]
    waiting = unasked(run, work)
    whole = [sum(lacks(leaf, sum(mb for since, until, mb in waiting[path]
                                 if since <= one.at_s < until))
                 for path, leaf in one.leaves.items()) / work.total_mb for one in samples]
    each = [lacks(leaf) / CONTAINER_MB for one in samples for leaf in one.leaves.values()]
    turnaround = [job.ended_s - job.submitted_s for job in run.jobs if job.succeeded]
    master = [job.master_s - job.submitted_s for job in run.jobs if job.master_s]
    return {
        "jobs": sum(job.succeeded for job in run.jobs),
        "used": 100 * statistics.fmean(one.used_mb for one in busy) / work.total_mb,
        "used_pressed": 100 * statistics.fmean(one.used_mb for one in pressed or samples)
        / work.total_mb,
        "pressed": 100 * len(pressed) / len(samples),
        "wait": waited / work.asked_mb,
        "master": statistics.fmean(master), "master_p95": figure.percentile(master, 95),
        "turnaround": statistics.fmean(turnaround),
        "turnaround_p50": figure.percentile(turnaround, 50),
        "turnaround_p95": figure.percentile(turnaround, 95),
        "makespan": end - begin,
        "error": 100 * statistics.fmean(errors), "error_max": 100 * max(errors),
        "whole": 100 * statistics.fmean(whole), "whole_max": 100 * max(whole),
        "lack_each": statistics.fmean(each), "lack_p99": figure.percentile(each, 99),
        "victims": run.preemption["victims"],
        "lost": run.preemption["lost_mb_s"] / work.asked_mb}


WHAT = (("jobs", "jobs that succeeded", "", True),
        ("used", "memory in use until the last submission", "%", True),
        ("used_pressed", "... while more than a tenth of the cluster is asked for", "%", True),
        ("pressed", "... how much of the time that is", "%", False),
        ("wait", "wait of a MB that is asked for, mean", "s", False),
        ("master", "wait for the first container, mean", "s", False),
        ("master_p95", "... 95 of 100", "s", False),
        ("turnaround", "turnaround of a job, mean", "s", False),
        ("turnaround_p50", "... median", "s", False),
        ("turnaround_p95", "... 95 of 100", "s", False),
        ("makespan", "first submission to last end", "s", False),
        ("error", "share error, mean", "%", False),
        ("error_max", "... worst second", "%", False),
        ("whole", "... with jobs whose ApplicationMaster waits, mean", "%", False),
        ("whole_max", "...... worst second", "%", False),
        ("lack_each", "what a queue lacks, mean", "containers", False),
        ("lack_p99", "... 99 of 100", "containers", False),
        ("victims", "containers preempted", "", False),
        ("lost", "... their work, per MB asked for", "s", False))
ROWS = tuple(Row(f"{variant}.{key}", f"{variant}: {what}", unit,
                 {"lack_each": "<= 1"}.get(key, ""), more_is_better=more)
             for variant in VARIANTS for key, what, unit, more in WHAT
             if variant == "preempts" or key not in ("victims", "lost"))


@contextlib.contextmanager
def prepared(folder: pathlib.Path | None = None):
    """The trace of `size`, in a folder that stays when it is given."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        yield Work(size, folder.resolve())
        return
    made = pathlib.Path(tempfile.mkdtemp(prefix="heddle-trace-"))
    try:
        yield Work(size, made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def rounds(side: str):
    """For tools/bench: every round the same trace on one side, with and without preemption."""
    with prepared() as work:
        while True:
            found = {}
            for variant in VARIANTS:
                run = work.ours(variant) if side == "heddle" else work.theirs(variant)
                found.update({f"{variant}.{key}": [value]
                              for key, value in figures(run, work).items()})
            yield found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for field in dataclasses.fields(Size):
        parser.add_argument("--" + field.name.replace("_", "-"), type=field.type,
                            default=field.default)
    parser.add_argument("--ours", action="store_true", help="no run of Hadoop's")
    parser.add_argument("--variant", choices=VARIANTS, help="only this one")
    parser.add_argument("--keep", type=pathlib.Path, help="where everything stays")
    parser.add_argument("--again", action="store_true", help="no run that is kept there")
    options = parser.parse_args()
    for field in dataclasses.fields(Size):
        setattr(size, field.name, getattr(options, field.name))
    sides = ("heddle",) if options.ours else figure.SIDES
    with prepared(options.keep) as work:
        print(f"{work.count} jobs, {work.asked_mb / 1024:.0f} GB asked for in all", file=sys.stderr)
        lines = []
        for variant in VARIANTS if options.variant is None else (options.variant,):
            found = {}
            for side in sides:
                kept = work.folder / f"{variant}.{side}.json"
                if not (options.again and kept.exists()):
                    run = work.ours(variant) if side == "heddle" else work.theirs(variant)
                    kept.write_text(json.dumps(dataclasses.asdict(run)), "utf-8")
                run = sls.read_run(json.loads(kept.read_text("utf-8")))
                print(f"{variant}: {side}: {run.preemption}", file=sys.stderr)
                found[side] = figures(run, work)
            lines += [(row, found) for row in ROWS if row.key.startswith(variant + ".")]
        for row, found in lines:
            values = [found[side][row.key.split(".")[1]] for side in sides]
            ratio = figure.better(row, values[0], values[-1])
            print(f"| {row.what} | " + " | ".join(f"{figure.shown(v)} {row.unit}" for v in values)
                  + (f" | {ratio:.3f}x |" if ratio else " | - |"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
