"""What a figure is: rows of the table, and a generator that gives samples for them round by round.

A module of a figure has ROWS and rounds(side): it sets up on its first step, yields {key: [samples]}
at each step, and cleans up when it is closed. The sides take steps in turn; STEPS make a round.
SIDES, where it has one, names further sides behind ours and Hadoop's: "limit" is the limit program.
"""
import dataclasses
import math

SIDES = ("heddle", "java")
LIMIT = "limit"


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table, made from the samples of `key`."""
    key: str
    what: str
    unit: str
    goal: str = ""
    percentile: int = 50
    more_is_better: bool = False


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


def better(row: Row, ours: float, other: float) -> float | None:
    """How many times better ours is; None where one is nothing."""
    if not ours or not other:
        return None
    return ours / other if row.more_is_better else other / ours


def line(row: Row, samples: dict) -> dict:
    """The row with its figures: of each side the chosen percentile, and how much better ours is than
    Hadoop's. `samples` are by side."""
    figures = {side: percentile(values, row.percentile) for side, values in samples.items()}
    entry = {"key": row.key, "what": row.what, "unit": row.unit, "goal": row.goal,
             "percentile": row.percentile, "more_is_better": row.more_is_better,
             "heddle": figures["heddle"], "hadoop": figures["java"],
             "ratio": better(row, figures["heddle"], figures["java"])}
    others = {side: figure for side, figure in figures.items() if side not in SIDES}
    if others:
        entry["others"] = others
    if LIMIT in figures:
        entry["share_of_limit"] = better(row, figures["heddle"], figures[LIMIT])
    entry["samples"] = {"hadoop" if side == "java" else side: values
                        for side, values in samples.items()}
    return entry


def others_of(entry: dict) -> str:
    """The further sides' figures in words, with ours as a share of the limit."""
    words = [f"{side} {shown(figure)}" for side, figure in entry.get("others", {}).items()]
    if entry.get("share_of_limit") is not None:
        words.append(f"L {100 * entry['share_of_limit']:.0f}%")
    return ", ".join(words)


def table(lines: list) -> str:
    """The lines in Markdown."""
    text = ("| figure | Heddle | Hadoop 3.4.2 | Heddle is better by | others | goal | samples |\n"
            "|---|---:|---:|---:|---|---|---|\n")
    for entry in lines:
        ratio = f"{shown(entry['ratio'])}x" if entry["ratio"] is not None else "-"
        counts = "/".join(str(len(values)) for values in entry["samples"].values())
        what = entry["what"] + (f", {entry['nodes']:,} nodes" if "nodes" in entry else "")
        text += (f"| {what} | {shown(entry['heddle'])} {entry['unit']} | "
                 f"{shown(entry['hadoop'])} {entry['unit']} | {ratio} | {others_of(entry)} | "
                 f"{entry['goal']} | {counts} |\n")
    return text


def slope(points: list) -> float:
    """Of the line through the logarithms of both numbers: 0 is flat, 1 in proportion."""
    xs, ys = zip(*((math.log(x), math.log(y)) for x, y in points))
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return (sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys))
            / sum((x - middle_x) ** 2 for x in xs))


def laws(lines: list, by: str) -> str:
    """In Markdown: how each figure that was taken at several values of `by` grows with it."""
    rows = {}
    for entry in lines:
        if by in entry:
            rows.setdefault((entry["figure"], entry["key"]), []).append(entry)
    text = (f"| figure | {by} | Heddle grows with the power | Hadoop 3.4.2 |\n"
            "|---|---|---:|---:|\n")
    for (name, _), of in rows.items():
        grown = [slope([(entry[by], entry[side]) for entry in of])
                 if all(entry[side] for entry in of) else math.nan for side in ("heddle", "hadoop")]
        text += (f"| {name}: {of[0]['what']} | {of[0][by]:,} to {of[-1][by]:,} | {grown[0]:.2f} | "
                 f"{grown[1]:.2f} |\n")
    return text
