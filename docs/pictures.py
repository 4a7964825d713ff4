"""Takes the pictures of the documentation: starts `twin up` on free ports, waits for the hour's figures, looks."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent / "images"
CHROMIUM = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
VIEWS = {
    "page.png": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "page-dark.png": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "page-phone.png": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "page-pot.png": {"viewport": {"width": 1440, "height": 1180}, "color_scheme": "light"},
    "page-ingest.png": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
}
# picture -> what is pressed first, and what is waited for
PRESSED = {
    "page-pot.png": (".tile[data-pot=A001]", ".chart[data-chart=voltage]:not([data-points='0'])"),
    "page-ingest.png": ("#tab-ingest", "#way-in table"),
}


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for_figures(url: str) -> None:
    """Until the simulated past is in."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/api/snapshot", timeout=5) as answer:
                lag = json.load(answer)["ingest"]["lag_s"]
        except OSError:
            lag = None
        if lag is not None and lag < 3:
            return
        time.sleep(0.5)
    raise SystemExit("the page never caught up")


def main() -> None:
    """Write every picture."""
    browser = shutil.which("chromium") or sys.exit("pictures need chromium; ./dev test installs it")
    FOLDER.mkdir(exist_ok=True)
    page = free_port()
    url = f"http://127.0.0.1:{page}"
    with tempfile.TemporaryDirectory() as folder:
        words = {"broker.port": free_port(), "page.port": page}
        twin = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "twin",
                "up",
                *(w for item in words.items() for w in ("--set", "{}={}".format(*item))),
            ],
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_for_figures(url)
            with sync_playwright() as play:
                chromium = play.chromium.launch(executable_path=browser, args=CHROMIUM.split())
                for name, view in VIEWS.items():
                    tab = chromium.new_page(**view)
                    tab.goto(url)
                    tab.wait_for_selector("text=A060")
                    if name in PRESSED:
                        press, wait = PRESSED[name]
                        tab.click(press)
                        tab.wait_for_selector(wait)
                    tab.wait_for_timeout(2500)  # two updates, so that the rates are those of a running page
                    tab.screenshot(path=FOLDER / name)
                chromium.close()
        finally:
            twin.send_signal(signal.SIGINT)
            twin.wait(20)


if __name__ == "__main__":
    main()
