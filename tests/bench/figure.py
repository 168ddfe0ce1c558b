"""What a figure is: rows of the table, and a generator that gives samples for them round by round.

A module of a figure has ROWS and rounds(side): it sets up on its first step, yields {key: [samples]}
at each step, and cleans up when it is closed. The sides take steps in turn; STEPS make a round.
"""
import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table, made from the samples of `key`."""
    key: str
    what: str
    unit: str
    goal: str = ""
    percentile: int = 50


def percentile(samples: list, percent: int) -> float:
    """By the nearest rank; the median of an even number of samples is between the middle two."""
    ordered = sorted(samples)
    if percent == 50:
        middle = len(ordered) // 2
        return (ordered[middle] + ordered[-middle - 1]) / 2
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def shown(value: float) -> str:
    """Three significant digits, and all before the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def line(row: Row, ours: list, theirs: list) -> dict:
    """The row with its figures: of each side the chosen percentile, and theirs / ours."""
    figures = [percentile(samples, row.percentile) for samples in (ours, theirs)]
    return {"key": row.key, "what": row.what, "unit": row.unit, "goal": row.goal,
            "percentile": row.percentile, "heddle": figures[0], "hadoop": figures[1],
            "ratio": figures[1] / figures[0] if figures[0] else None,
            "samples": {"heddle": ours, "hadoop": theirs}}


def table(lines: list) -> str:
    """The lines in Markdown."""
    text = ("| figure | Heddle | Hadoop 3.4.2 | Hadoop / Heddle | goal | samples |\n"
            "|---|---:|---:|---:|---|---|\n")
    for entry in lines:
        ratio = f"{shown(entry['ratio'])}x" if entry["ratio"] is not None else "-"
        counts = "/".join(str(len(entry["samples"][side])) for side in ("heddle", "hadoop"))
        text += (f"| {entry['what']} | {shown(entry['heddle'])} {entry['unit']} | "
                 f"{shown(entry['hadoop'])} {entry['unit']} | {ratio} | {entry['goal']} | "
                 f"{counts} |\n")
    return text
