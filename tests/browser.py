"""A real browser for tests: Chromium without a window, driven over its debugging pipe; nothing beside it is needed."""

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WAIT = 30


def program() -> str:
    """The browser that is installed; skips the test, saying so, where there is none. CHROMIUM names another."""
    found = next(filter(None, map(shutil.which, filter(None, (os.environ.get("CHROMIUM"), *NAMES)))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed, and CHROMIUM names none")
    return found


class Browser:
    """One page of a browser. Use as a context manager; folder: where its profile may lie."""

    def __init__(self, folder: Path, width: int = 1400, height: int = 900):
        read, self.to = os.pipe()
        self.out, write = os.pipe()
        read, write = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (read, write))

        def pipes():  # Chromium reads commands from 3 and writes answers to 4
            os.dup2(read, 3)
            os.dup2(write, 4)

        flags = ("headless", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "remote-debugging-pipe")
        command = [program(), *(f"--{flag}" for flag in flags), f"--user-data-dir={folder}"]
        self.process = subprocess.Popen(
            command, preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(read)
        os.close(write)
        self.numbers, self.rest, self.session, self.events = itertools.count(1), b"", None, []
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
            self.size(width, height)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()
        os.close(self.to)
        os.close(self.out)

    def call(self, method: str, **params: object) -> dict:
        """One command of the protocol and its answer; what happened meanwhile is kept in `events`."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            while b"\0" in self.rest:
                one, self.rest = self.rest.split(b"\0", 1)
                answer = json.loads(one)
                if answer.get("id") == number:
                    assert "error" not in answer, answer
                    return answer["result"]
                self.events.append(answer)
            if select.select([self.out], [], [], 1)[0]:
                self.rest += os.read(self.out, 1 << 16)
        raise TimeoutError(f"no answer to {method} in {WAIT} s")

    def size(self, width: int, height: int = 900, dark: bool = False) -> None:
        """Width and height of the window in pixels, and the colours that its user prefers."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, page: Path, address: str = "") -> None:
        """Open a file, or change what stands after its `#`."""
        self.call("Page.navigate", url=f"{page.resolve().as_uri()}{address}")

    def js(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + WAIT
        while not self.js(f"Boolean({expression})"):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """One key, as a person presses it."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **CODES.get(key, {}), **text)

    def shot(self, path: Path) -> None:
        """A picture of what is visible."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    @property
    def faults(self) -> list[str]:
        """Everything that went wrong in the page, and every request for something that is not a file."""
        self.js("0")
        found = []
        for event in self.events:
            params = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(json.dumps(params["exceptionDetails"]))
            elif event.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
                found.append(params["entry"]["text"])
            elif event.get("method") == "Network.requestWillBeSent":
                url = params["request"]["url"]
                found += [url] if not url.startswith(("file:", "data:", "about:")) else []
        return found


CODES = {
    key: {"windowsVirtualKeyCode": code}
    for key, code in {"ArrowDown": 40, "ArrowUp": 38, "Enter": 13, "Tab": 9}.items()
}
