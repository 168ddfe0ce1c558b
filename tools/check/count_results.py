#!/usr/bin/env python3
"""Prints "N passed, N failed" over the reports in a folder; exit 1 unless all passed.

    count_results.py FOLDER [FAILED STEP...]

A failed step counts as one failure when no report shows a failed test for it (it crashed, or it
is no test at all), so that the sum never says less than what went wrong.
"""
import pathlib
import sys
import xml.etree.ElementTree as xml


def count(report: pathlib.Path) -> tuple:
    """(passed, failed) of one file. Skipped tests are neither."""
    passed = failed = 0
    try:
        cases = xml.parse(report).getroot().iter("testcase")
        for case in cases:
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is None and case.get("status") != "notrun":
                passed += 1
    except xml.ParseError:
        failed += 1
    return passed, failed


def main(folder: str, *failed_steps: str) -> int:
    passed = failed = 0
    explained = set()
    for report in sorted(pathlib.Path(folder).rglob("*.xml")):
        good, bad = count(report)
        passed += good
        failed += bad
        if bad:
            explained.add(report.stem)         # interop.xml
            explained.add(report.parent.name)  # unit-release/unit_base.xml
    failed += sum(1 for step in failed_steps if step not in explained)
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
