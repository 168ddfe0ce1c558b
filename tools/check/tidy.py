#!/usr/bin/env python3
"""Runs clang-tidy over source files, several in one translation unit, so that their headers are read once.

    tools/check/tidy.py BUILD_FOLDER FILE...

The analyzer looks into included sources only where the main file is called UnifiedSource. Exit 0: no finding.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

TOGETHER = 8
FINDINGS = r"/(base|queues|security|rm|nodemanager|compat|api|tools|tests)/[^ ]*\.(h|cc)$"


def units(build, wanted):
    """(flags, files) of each unit: the same files stand together as in the unity builds, so that their names are known not to clash."""
    groups = collections.defaultdict(list)
    alone = skipped()
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = os.path.relpath(entry["file"])
        words = [word for word in shlex.split(entry["command"]) if not word.endswith("ccache")][1:]
        target = re.match(r".*\.dir", words[words.index("-o") + 1]).group()
        del words[words.index("-o"):words.index("-o") + 2]
        del words[words.index("-c"):words.index("-c") + 2]
        groups[target, tuple(words), file if file in alone else ""].append(file)
    for (_, flags, _), files in sorted(groups.items()):
        for start in range(0, len(files), TOGETHER):
            together = [file for file in files[start:start + TOGETHER] if file in wanted]
            if together:
                yield flags, together


def skipped():
    """The sources that CMake is told to compile alone."""
    found = set()
    for path in pathlib.Path(".").glob("[a-z]*/**/CMakeLists.txt"):
        for names in re.findall(r"set_source_files_properties\(([^)]*) PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON\)", path.read_text()):
            found.update(os.path.relpath(path.parent / name) for name in names.split())
    return found


def tidy(folder, number, flags, files):
    unit = folder / f"UnifiedSource-{number}.cc"
    unit.write_text("".join(f'#include "{os.path.abspath(file)}"\n' for file in files))
    command = ["clang-tidy-14", "--quiet", "--config-file=.clang-tidy", f"--header-filter={FINDINGS}", "--warnings-as-errors=*",
               str(unit), "--", *flags]
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
