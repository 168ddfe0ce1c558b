"""The heddle command as scripts and shells use it: exit codes, output, completion."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from cluster import BIN

pytestmark = pytest.mark.heddle
HEDDLE = BIN / "heddle"


def heddle(*words, env=None, stdout=subprocess.PIPE) -> subprocess.CompletedProcess:
    clean = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/"),
             "LANG": "C.UTF-8", **(env or {})}
    return subprocess.run([HEDDLE, *map(str, words)], stdin=subprocess.DEVNULL, stdout=stdout,
                          stderr=subprocess.PIPE, text=True, env=clean, timeout=30, check=False)


@pytest.fixture
def at(cluster):
    """heddle for the shared cluster."""
    return lambda *words, **more: heddle("--conf", cluster.conf, *words, **more)


def test_what_is_asked_of_a_cluster_ends_with_zero(at, cluster):
    node = cluster.wait_for_nodes(1)[0]["id"]
    for words in (("app", "list", "--all"), ("node", "list"), ("node", "show", node),
                  ("queue", "list"), ("queue", "show", "root.alpha"), ("version",), ("--help",),
                  ("completion", "bash")):
        answer = at(*words)
        assert (answer.returncode, answer.stderr) == (0, ""), (words, answer)


UNKNOWN = "application_1_0001"


@pytest.mark.parametrize("code, words, says", [
    (1, ("app", "show", UNKNOWN), "not found"),
    (1, ("app", "logs", UNKNOWN), "not found"),
    (1, ("app", "kill", UNKNOWN), "not found"),
    (1, ("queue", "show", "nosuch"), "there is no queue 'nosuch'"),
    (1, ("node", "show", "nosuch:1"), "nosuch:1"),
    (2, ("frob",), "no such command: frob"),
    (2, ("app", "list", "--frob"), "--frob"),
    (2, ("app", "show", "x"), "not of the form"),
    (2, ("app", "list", "--state", "nosuch"), "nosuch"),
    (69, ("--rm", "http://localhost:{nobody}", "app", "list"), "Connection refused"),
    (73, ("dev", "--dir", "/proc/heddle"), "/proc/heddle"),
    (78, ("--conf", "{broken}", "app", "list"), "yarn-site.xml: line 2"),
    (124, ("--timeout", "0.2", "--rm", "http://localhost:{silent}", "app", "list"), "timed out"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_failures_end_with_the_code_of_their_kind(at, tmp_path, code, words, says):
    (tmp_path / "yarn-site.xml").write_text("no XML\n")
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, but nobody listens
        values = {"broken": tmp_path, "silent": silent.getsockname()[1],
                  "nobody": nobody.getsockname()[1]}
        words = [word.format(**values) for word in words]
        answer = heddle(*words) if {"--rm", "--conf"} & set(words) else at(*words)
    assert answer.returncode == code, answer
    assert says.lower() in answer.stderr.lower() and "\nTry: " in answer.stderr, answer
    assert answer.stdout == "", answer


def test_without_any_address_it_says_how_to_give_one():
    answer = heddle("app", "list")
    assert answer.returncode == 2, answer
    assert "HADOOP_CONF_DIR" in answer.stderr, answer


def test_a_configuration_folder_of_the_environment_that_is_not_there_is_78():
    answer = heddle("app", "list", env={"HADOOP_CONF_DIR": "/no/such/folder"})
    assert answer.returncode == 78, answer
    assert "HADOOP_CONF_DIR /no/such/folder is not a folder" in answer.stderr, answer


def test_output_that_finds_no_room_is_74(at):
    with open("/dev/full", "w", encoding="ascii") as full:
        answer = at("queue", "list", stdout=full)
    assert answer.returncode == 74, answer
    assert "No space left on device" in answer.stderr, answer


def test_a_reader_that_has_had_enough_is_no_failure(at):
    read_end, write_end = os.pipe()
    os.close(read_end)
    answer = at("queue", "list", stdout=write_end)
    os.close(write_end)
    assert (answer.returncode, answer.stderr) == (0, ""), answer


def test_killing_what_belongs_to_another_is_77(new_cluster):
    cluster = new_cluster(history=False, yarn={"yarn.acl.enable": "true",
                                               "yarn.admin.acl": "nobody"})
    job = cluster.clients.start_sleep_job(map_ms=60_000)
    application = cluster.wait_for_app(job)
    answer = heddle("--conf", cluster.conf, "app", "kill", application,
                    env={"HADOOP_USER_NAME": "stranger"})
    assert answer.returncode == 77, answer
    assert "stranger" in answer.stderr, answer


def test_a_cluster_for_trials_comes_up_and_goes(tmp_path):
    """SIGINT is Ctrl-C: a cluster that was up has done its work, and leaves nothing."""
    folder = tmp_path / "dev"
    with subprocess.Popen([HEDDLE, "dev", "--dir", folder], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        giving_up = threading.Timer(60, os.killpg, (process.pid, signal.SIGKILL))
        giving_up.start()  # reading has no time limit of its own
        try:
            shown = take_until(process.stdout, "Ctrl-C")
            conf = next(line.split("=")[1].strip() for line in shown if "export" in line)
            assert heddle("node", "list", "-q", env={"HADOOP_CONF_DIR": conf}).returncode == 0
            assert len(daemons_of(folder)) == 2
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0, process.stderr.read()
            assert daemons_of(folder) == []
        finally:
            giving_up.cancel()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert not folder.exists()


def daemons_of(folder: pathlib.Path) -> list:
    """The command lines of ResourceManagers and NodeManagers that mention the folder."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_text("utf-8", "replace") if entry.name.isdigit() else ""
            if str(folder) in words and re.search(r"heddle-(rm|nm)\0", words):
                found.append(words.replace("\0", " "))
    return found


def take_until(stream, word: str) -> list:
    lines = []
    for line in stream:
        lines.append(line)
        if word in line:
            break
    return lines


def test_json_says_what_it_is(at):
    answer = json.loads(at("queue", "list", "-o", "json").stdout)
    assert answer["schema"] == "heddle.queue.list/1"
    assert [item["path"] for item in answer["items"]] == \
        ["root", "root.default", "root.alpha", "root.beta"]


COMPLETED = {
    "heddle ": {"app", "node", "queue", "config", "dev", "completion", "explain", "sim", "version"},
    "heddle app ": {"list", "show", "kill", "logs"},
    "heddle app list --st": {"--state"},
    "heddle -o ": {"table", "wide", "json", "csv", "name"},
    "heddle completion ": {"bash", "zsh", "fish"},
    "heddle queue show ": {"root", "root.default", "root.alpha", "root.beta"},
}
BASH = """source <(heddle completion bash)
IFS=' ' read -ra COMP_WORDS <<<"$1"; [[ $1 != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_heddle; printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = "heddle completion fish | source; complete -C $argv[1] | string split -f1 \\t"
# What zsh's widget does with a function of bash: asks it, and offers what begins like the word.
ZSH = """autoload -Uz compinit && compinit -D -u
source <(heddle completion zsh)
COMP_WORDS=("${(@s: :)1}"); words=("${COMP_WORDS[@]}"); CURRENT=$#words; COMP_CWORD=$((CURRENT - 1))
offered=("${(@f)$(compgen -F _heddle -- "${words[CURRENT]}")}")
print -rl -- "${(@M)offered:#${words[CURRENT]}*}"
"""
SHELLS = {"bash": ["bash", "-c", BASH, "bash"], "fish": ["fish", "-c", FISH],
          "zsh": ["zsh", "-f", "-c", ZSH, "zsh"]}


@pytest.mark.parametrize("line", COMPLETED)
@pytest.mark.parametrize("shell", SHELLS)
def test_shells_complete_commands_options_and_names(cluster, shell, line):
    assert shutil.which(shell), f"no {shell}: run tools/install-deps --test"
    env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "TERM": "dumb",
           "HADOOP_CONF_DIR": str(cluster.conf)}
    answer = subprocess.run([*SHELLS[shell], line], env=env, capture_output=True, text=True,
                            timeout=30, check=False, stdin=subprocess.DEVNULL)
    assert answer.stderr == "", answer
    assert set(answer.stdout.split()) == COMPLETED[line], answer
