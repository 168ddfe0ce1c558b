#!/usr/bin/env python3
"""Runs clang-tidy over source files, several in one translation unit, so that their headers are read once.

    tools/check/tidy.py BUILD_FOLDER FILE...

The analyzer looks into included sources only where the main file is called UnifiedSource. Exit 0: no finding.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

FINDINGS = r"/(base|queues|security|rm|nodemanager|compat|api|tools|tests)/[^ ]*\.(h|cc)$"


def units(build, wanted):
    """(flags, files) of each unit that the build compiles, with only the wanted of its files."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = [word for word in shlex.split(entry["command"]) if not word.endswith("ccache")][1:]
        for option in "-o", "-c":
            del words[words.index(option):words.index(option) + 2]
        files = [file for file in map(os.path.relpath, sources(entry["file"])) if file in wanted]
        if files:
            yield words, files


def sources(file):
    """What a unit includes if CMake wrote it, otherwise the file itself."""
    if not re.search(r"/Unity/unity_\d+_", file):
        return [file]
    return re.findall(r'^#include "(.*)"', pathlib.Path(file).read_text(), flags=re.M)


def tidy(folder, number, flags, files):
    unit = folder / f"UnifiedSource-{number}.cc"
    unit.write_text("".join(f'#include "{os.path.abspath(file)}"\n' for file in files))
    command = ["clang-tidy-14", "--quiet", "--config-file=.clang-tidy", f"--header-filter={FINDINGS}", "--warnings-as-errors=*",
               str(unit), "--", *flags, "-Wno-unknown-warning-option"]  # the build may be gcc's
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return files, done.returncode, re.sub(r"^\d+ warnings? .*\n", "", done.stdout, flags=re.M)


def main():
    build, wanted = pathlib.Path(sys.argv[1]), set(map(os.path.normpath, sys.argv[2:]))
    folder = build / "tidy"
    folder.mkdir(exist_ok=True)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("HEDDLE_JOBS") or os.cpu_count())) as pool:
        jobs = [pool.submit(tidy, folder, number, *unit) for number, unit in enumerate(units(build, wanted))]
        for job in concurrent.futures.as_completed(jobs):
            files, code, text = job.result()
            wanted -= set(files)
            bad += code != 0
            print("ok" if code == 0 else "FINDINGS", " ".join(files), flush=True)
            if code:
                print(text, flush=True)
    if wanted:
        print("not in the build:", " ".join(sorted(wanted)))
    return 1 if bad or wanted else 0


if __name__ == "__main__":
    sys.exit(main())
