"""The system's Chromium, restricted to requests to this machine; no browser is ever downloaded."""

import shutil

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
MISSING = "Chromium is not installed: apt install chromium"


NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The first without windows to draw: a page takes three quarters of the processor time."""


def chromium() -> str | None:
    """Return its path; None where it is not installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)
