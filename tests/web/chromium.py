"""The system's Chromium, kept from asking anybody but this machine; none is ever downloaded."""

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
MISSING = "there is no Chromium on this machine: apt install chromium"


def chromium() -> str | None:
    """Return where it is; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")
