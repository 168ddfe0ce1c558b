"""A headless Chromium, driven through a pipe by the DevTools protocol."""
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

ANSWER_S = 30
FLAGS = ("--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu",
         "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync",
         "--disable-component-update", "--disable-default-apps", "--disable-extensions",
         "--no-default-browser-check", "--password-store=basic", "--hide-scrollbars",
         # What is not on this machine has no address.
         "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1")
# Hands over the ends of the pipes as the descriptors that Chromium expects.
WITH_PIPES = 'in=$1 out=$2; shift 2; exec "$@" 3<&"$in" 4>&"$out"'


class Browser:
    """One Chromium process. Use it with `with`."""

    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if program is None:
            raise RuntimeError("no chromium: run tools/install-deps --test")
        self.profile = tempfile.mkdtemp(prefix="heddle-browser-")
        to_child, self.write_end = os.pipe()
        self.read_end, from_child = os.pipe()
        flags = [*FLAGS, f"--user-data-dir={self.profile}"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # it refuses to start as root otherwise
        self.process = subprocess.Popen(
            ["bash", "-c", WITH_PIPES, "bash", str(to_child), str(from_child), program, *flags],
            pass_fds=(to_child, from_child), stdin=subprocess.DEVNULL, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.profile})
        os.close(to_child)
        os.close(from_child)
        self.unread = b""
        self.calls = 0
        self.events = []

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_) -> None:
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.write_end)
        os.close(self.read_end)
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method: str, session: str | None = None, **params) -> dict:
        """Sends a command and returns its result. Events that come before it are kept."""
        self.calls += 1
        message = {"id": self.calls, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + ANSWER_S
        while True:
            answer = self.receive(deadline, method)
            if answer.get("id") != self.calls:
                self.events.append(answer)
                continue
            assert "error" not in answer, f"{method}: {answer['error']}"
            return answer["result"]

    def receive(self, deadline: float, waiting_for: str) -> dict:
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.read_end], [], [], deadline - time.monotonic())
            assert ready, f"Chromium says nothing for {ANSWER_S} s: {waiting_for}"
            piece = os.read(self.read_end, 1 << 20)
            assert piece, f"Chromium has ended: {waiting_for}"
            self.unread += piece
        message, _, self.unread = self.unread.partition(b"\0")
        return json.loads(message)

    def tab(self, width: int = 1280, height: int = 900) -> "Tab":
        return Tab(self, width, height)


class Tab:
    """A page of the browser, with all that it asked for and complained of."""

    def __init__(self, browser: Browser, width: int, height: int):
        self.browser = browser
        self.width = width
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target,
                                    flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def call(self, method: str, **params) -> dict:
        return self.browser.call(method, self.session, **params)

    def close(self) -> None:
        self.browser.call("Target.closeTarget", targetId=self.target)

    def resize(self, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)

    def open(self, url: str) -> "Tab":
        """Goes to `url` and returns when all of it is loaded."""
        begun = len(self.browser.events)
        answer = self.call("Page.navigate", url=url)
        assert "errorText" not in answer, f"{url}: {answer.get('errorText')}"
        self.wait_for("Page.loadEventFired", begun)
        return self

    def wait_for(self, method: str, begun: int) -> None:
        deadline = time.monotonic() + ANSWER_S
        while not any(event["method"] == method for event in self.of_mine(begun)):
            self.browser.events.append(self.browser.receive(deadline, method))

    def of_mine(self, begun: int = 0) -> list:
        return [event for event in self.browser.events[begun:]
                if event.get("sessionId") == self.session]

    def evaluate(self, expression: str):
        """The value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self) -> str:
        return self.evaluate("document.body.innerText")

    def address(self) -> str:
        return self.evaluate("location.href")

    def links(self, containing: str = "") -> list:
        """Where the links of the page lead."""
        found = self.evaluate("[...document.querySelectorAll('a')].map(a => a.href)")
        return [link for link in found if containing in link]

    def requests(self) -> list:
        """Every address that was asked for, by the page or on its behalf."""
        return [event["params"]["request"]["url"] for event in self.of_mine()
                if event["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list:
        """Errors and warnings of the console, and exceptions of scripts."""
        found = []
        for event in self.of_mine():
            params = event["params"]
            if event["method"] == "Log.entryAdded" and params["entry"]["level"] != "verbose":
                found.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and \
                    params["type"] in ("error", "warning", "assert"):
                found.append(str(params["args"]))
        return found

    def screenshot(self, file: pathlib.Path) -> None:
        """The whole page, not only what fits the window."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(answer["data"]))
