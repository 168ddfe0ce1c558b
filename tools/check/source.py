#!/usr/bin/env python3
"""The source check: who may include whom, where foreign headers and banned calls may stand, sizes.

    source.py                   prints what is wrong, one a line; exit 1 if anything is
    source.py --write-ratchet   records today's sizes above the wish (see them in the diff)

Sizes: a function may have 60 lines and a file 600. What is above (to 100 and 1,000) must stand in
ratchet.tsv with its size and may only shrink.
"""
import argparse
import dataclasses
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RATCHET = pathlib.Path("tools/check/ratchet.tsv")
HOSTILE = "docs/design/0006-hostile-inputs.md"
CODE = (".cc", ".h")
SIZED = CODE + (".py", ".sh", ".js", ".ts")
FUNCTION_WISH, FUNCTION_MAX = 60, 100
FILE_WISH, FILE_MAX = 600, 1000

# Which folders a folder may include. The longest key that fits a file counts. A folder always sees
# itself; an entry stands for everything below it, except that base/net is asked for by name.
ARROWS = {
    "base": (),
    "base/net": ("base",),
    "queues": ("base",),
    "queues/reservations": ("base", "queues"),
    "queues/rules": ("base", "queues"),
    "security": ("base",),
    "rm/api": ("base", "queues", "security"),
    "rm": ("base", "queues", "security"),
    "rm/service": ("base", "base/net", "queues", "security", "rm"),
    "rm/store": ("base", "queues", "security", "rm"),
    "nodemanager": ("base", "base/net", "security"),
    "compat": ("base", "base/net", "security", "rm/api", "nodemanager/api"),
    "compat/proto": (),
    "compat/xml": ("base",),
    "compat/ipc": ("base", "base/net", "security", "compat/proto"),
    "compat/logfile": ("base", "compat/ipc", "compat/proto", "nodemanager/api"),
    "compat/records": ("base", "base/net", "security", "rm/api", "nodemanager/api",
                       "compat/proto"),
    "compat/yarn": ("base", "base/net", "security", "rm/api", "compat/proto", "compat/ipc",
                    "compat/records", "compat/xml"),
    "compat/nm": ("base", "base/net", "security", "nodemanager/api", "compat/proto", "compat/ipc",
                  "compat/records", "compat/xml", "compat/logfile"),
    "compat/rest": ("base", "base/net", "security", "rm/api", "nodemanager/api", "compat/proto",
                    "compat/records", "compat/xml", "compat/logfile", "compat/proxy"),
    "compat/proxy": ("base", "base/net", "security", "rm/api"),
    "compat/shuffle": ("base", "base/net", "security", "nodemanager/api"),
    "api": ("base", "base/net", "security", "rm/api", "nodemanager/api"),
}
CROSSES = ("tests/", "tools/")  # may include anything, as each daemon's main.cc may
OURS = ("base", "queues", "security", "rm", "nodemanager", "compat", "api", "tools", "tests")

# Foreign headers and the only folders that include them.
FOREIGN = (
    (re.compile(r"boost/(asio|beast)|curl/"), ("base/net",)),
    (re.compile(r".*\.pb\.h$|google/protobuf/"), ("compat", "tools/load")),
    (re.compile(r"sqlite3\.h"), ("rm/store", "nodemanager/store")),
    (re.compile(r"gssapi|krb5|sasl/"), ("security",)),
    (re.compile(r"openssl/"), ("security", "base/net")),
    (re.compile(r"pugixml"), ("compat/xml",)),
    (re.compile(r"archive(_entry)?\.h$"), ("nodemanager/localize",)),
    (re.compile(r"thrift/"), ("api",)),
)

# Calls that only base/ makes: time and chance come through Clock and seeds, processes without shell.
BANNED = (
    (re.compile(r"\bsystem_clock\s*::\s*now\b"), "the time comes from Clock"),
    (re.compile(r"\bsteady_clock\s*::\s*now\b"), "the time comes from Clock"),
    (re.compile(r"\bsleep_for\b|\bsleep_until\b|\busleep\s*\(|\bnanosleep\s*\("),
     "wait for what is meant"),
    (re.compile(r"(?<![\w.>])s?rand\s*\("), "chance comes from a seed"),
    (re.compile(r"\bgetenv\s*\("), "the environment is read in base/ only"),
    (re.compile(r"(?<![\w.>])system\s*\(|(?<![\w.>])popen\s*\("), "no shell"),
)
LEFT_OVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
REGISTRY = re.compile(r"https?://[a-z0-9.-]*(maven|pypi|npmjs|crates|debian)[a-z0-9.-]*")
REGISTRY_FINE = "maven.apache.org/"
COMMON_PATHS = ("/", "//.", "/tmp/", "/var/tmp/", "/home/", "/root/", "/opt/", "/srv/", "/usr/src/")
README_NOT_NEEDED = ("tests/unit/", "tests/fuzz/corpus", ".ci", "cmake")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
# Comments, raw strings, strings, characters (a ' between digits is a separator): blanked before looking.
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"'
                   r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Size:
    path: str
    what: str  # "file", or the name of a function
    lines: int


def blanked(text: str) -> str:
    """The code without comments and literals; lines stay where they are."""
    return NOISE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def rule_of(path: str) -> str | None:
    fitting = [folder for folder in ARROWS if inside(path, folder)]
    return max(fitting, key=len) if fitting else None


def may_cross(path: str) -> bool:
    return path.startswith(CROSSES) or path.endswith("/main.cc")


def allowed(source: str, header: str) -> bool:
    """Whether the file `source` may include `header` (both from the root)."""
    rule = rule_of(source)
    if rule is None or may_cross(source):
        return True
    if rule_of(header) == rule or (rule == "rm" and inside(header, "rm")):
        return True
    for folder in ARROWS[rule]:
        if inside(header, folder):
            return not inside(header, "base/net") or "base/net" in ARROWS[rule]
    # Within nodemanager and compat's unnamed parts a folder sees its own tree.
    return rule == "nodemanager" and inside(header, "nodemanager")


def check_includes(path: str, text: str) -> list:
    found = []
    for match in INCLUDE.finditer(text):
        quoted, header = match.group(1) == '"', match.group(2)
        place = f"{path}:{line_of(text, match.start())}"
        if quoted and header.split("/")[0] in OURS and not allowed(path, header):
            found.append(f"{place}: {rule_of(path)}/ must not include {header}")
        for pattern, folders in FOREIGN:
            if pattern.match(header) and not path.startswith("tests/") and \
                    not any(inside(path, folder) for folder in folders):
                found.append(f"{place}: only {' and '.join(folders)} may include {header}")
    return found


def check_calls(path: str, code: str) -> list:
    if inside(path, "base"):
        return []
    return [f"{path}:{line_of(code, match.start())}: {match.group().strip()}: {reason}"
            for pattern, reason in BANNED for match in pattern.finditer(code)
            if not (path.startswith("tests/") and "getenv" in match.group())]


def check_words(path: str, text: str, machine_paths: tuple) -> list:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        for machine_path in machine_paths:
            if machine_path in line:
                found.append(f"{path}:{number}: a path of one machine: {machine_path}")
        for match in REGISTRY.finditer(line):
            if not line[match.start():].split("//", 1)[1].startswith(REGISTRY_FINE):
                found.append(f"{path}:{number}: a registry's host name: {match.group()}")
        if path.endswith(SIZED) and LEFT_OVER.search(line):
            found.append(f"{path}:{number}: left over: {LEFT_OVER.search(line).group()}")
    return found


HEADER_KIND = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
FUNCTION_NAME = re.compile(r"([~\w:]+|operator\s*\S+)\s*\(")


def functions(code: str) -> list:
    """(name, first line, lines) of each function body. Of blanked code; a heuristic, but a steady one."""
    code = DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), code)
    found, stack, start = [], [], 0
    for match in re.finditer(r"[{};]", code):
        at, sign = match.start(), match.group()
        in_function = any(kind == "function" for kind, _, _ in stack)
        if sign == "{":
            header = code[start:at]
            kind, name = "other", ""
            if not in_function:
                named = FUNCTION_NAME.search(header)
                if HEADER_KIND.search(header.split("(")[0]):
                    kind = "scope"
                elif named and not re.search(r"=\s*$", header):
                    kind, name = "function", named.group(1)
            stack.append((kind, name, start + len(header) - len(header.lstrip())))
        elif sign == "}" and stack:
            kind, name, begin = stack.pop()
            if kind == "function":
                first = line_of(code, begin)
                found.append((name, first, line_of(code, at) - first + 1))
        start = at + 1
    return found


def sizes(path: str, text: str, code: str) -> list:
    """Everything above the wish."""
    found = []
    lines = text.count("\n")
    if lines > FILE_WISH:
        found.append(Size(path, "file", lines))
    if path.endswith(CODE):
        found += [Size(path, name, count) for name, _, count in functions(code)
                  if count > FUNCTION_WISH]
    return found


def check_sizes(found: list, ratchet: dict) -> list:
    wrong = []
    for size in found:
        limit = FILE_MAX if size.what == "file" else FUNCTION_MAX
        wish = FILE_WISH if size.what == "file" else FUNCTION_WISH
        before = ratchet.get((size.path, size.what))
        label = f"{size.path}: {size.what} has {size.lines} lines"
        if size.lines > limit:
            wrong.append(f"{label}; {limit} is the most")
        elif before is None:
            wrong.append(f"{label}; {wish} are wished: split it, or list it in {RATCHET}")
        elif size.lines > before:
            wrong.append(f"{label}; it had {before} and may only shrink")
    return wrong


def read_ratchet(path: pathlib.Path) -> dict:
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        if line and not line.startswith("#"):
            name, what, lines = line.split("\t")
            rows[name, what] = max(int(lines), rows.get((name, what), 0))
    return rows


def check_readmes(files: list, read) -> list:
    """Each folder with code has a README.md whose first two lines say what is in and what it sees."""
    folders = {path.rsplit("/", 1)[0] for path in files
               if "/" in path and path.endswith(SIZED + (".proto", ".tsv"))}
    wrong = []
    for folder in sorted(folders):
        if any((folder + "/").startswith(skip) for skip in README_NOT_NEEDED):
            continue
        readme = folder + "/README.md"
        lines = read(readme).splitlines() if readme in files else []
        if len([line for line in lines[:2] if line.strip()]) < 2:
            wrong.append(f"{readme}: two lines are needed: what is inside; what it may include")
    return wrong


def tracked_files() -> list:
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted({path for path in listed.split("\0") if path and (ROOT / path).is_file()})


def check_tree() -> tuple:
    """(complaints, sizes above the wish) of the whole tree."""
    files = tracked_files()
    wrong, large = [], []
    machine_paths = tuple(path for path in (f"{ROOT.parent}/", f"{pathlib.Path.home()}/.")
                          if path not in COMMON_PATHS)

    def read(path):
        return (ROOT / path).read_text(encoding="utf-8", errors="replace")

    for path in files:
        if inside(path, "tests/fuzz/corpus"):
            continue
        text = read(path)
        wrong += check_words(path, text, machine_paths)
        if path.endswith(SIZED):
            code = blanked(text) if path.endswith(CODE) else ""
            large += sizes(path, text, code)
        if path.endswith(CODE):
            wrong += check_includes(path, text) + check_calls(path, code)
    tests = "".join(read(path) for path in files if inside(path, "tests/unit"))
    wrong += check_named_tests(read(HOSTILE), tests)
    return wrong + check_readmes(files, read), large


def check_generated(command: tuple = (ROOT / "tools/gen-configuration", "--check")) -> list:
    """What the generated page of properties has to complain of."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout.splitlines()
    if done.returncode != 0 and not said:  # it could not even look
        said = [f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}"]
    return said


TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)")
NAMED_TEST = re.compile(r"\b([A-Z]\w{9,})(\.\.\.)?")


def check_named_tests(page: str, code: str) -> list:
    """Each test that the last column of a table in HOSTILE names ("Abc...": begins with) is there."""
    tests = {name for match in TEST.finditer(code) for name in match.groups()}
    wrong = []
    for number, line in enumerate(page.splitlines(), 1):
        column = line.strip().strip("|").split("|")[-1] if line.startswith("|") else ""
        for name, dots in NAMED_TEST.findall(column):
            if not any(test.startswith(name) if dots else test == name for test in tests):
                wrong.append(f"{HOSTILE}:{number}: there is no test {name}{dots}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write-ratchet", action="store_true")
    options = parser.parse_args()
    wrong, large = check_tree()
    if options.write_ratchet:
        rows = [f"{size.path}\t{size.what}\t{size.lines}\n" for size in sorted(large, key=str)
                if size.lines <= (FILE_MAX if size.what == "file" else FUNCTION_MAX)]
        (ROOT / RATCHET).write_text("# path, file or function, lines: above the wish; may only "
                                    "shrink\n" + "".join(rows), encoding="utf-8")
    wrong += check_sizes(large, read_ratchet(ROOT / RATCHET)) + check_generated()
    wrong += check_generated((ROOT / "tools/capacity-properties", "--check"))
    for complaint in wrong:
        print(complaint)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
