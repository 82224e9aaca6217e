"""The browser of the tests: the machine's own Chromium, or the one that Playwright brings.

``python -m tests.browser`` fetches Playwright's when the machine has none.
"""

import os
import shutil
import subprocess
import sys
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def own_chromium() -> str | None:
    """The path of this machine's Chromium."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def launch_arguments() -> dict[str, Any]:
    """How to launch it: also as root, where Chromium refuses its sandbox."""
    arguments: dict[str, Any] = {"args": ["--no-sandbox"] if os.getuid() == 0 else []}
    if path := own_chromium():
        arguments["executable_path"] = path
    return arguments


if __name__ == "__main__" and not own_chromium():
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    sys.exit(subprocess.run(command, check=False).returncode)
