"""Load from ``wrk``: 16 connections that read some paths one after the other, over and over."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MISSING = "wrk is not installed: 'apt install wrk' (Debian package wrk)"

SCRIPT = """
local paths = {%s}
local started = 0
function setup(thread) thread:set("offset", started); started = started + 1 end
function init()
  requests, at = {}, offset * math.floor(#paths / 2)
  for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end
end
function request() at = at %% #requests + 1; return requests[at] end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("\\nmeasured %%d %%d %%d %%d\\n", summary.requests, summary.duration,
    latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw."""

    per_second: float
    p99_ms: float


def installed() -> bool:
    """Tell whether there is a wrk on this machine."""
    return shutil.which("wrk") is not None


def load(url: str, paths: Sequence[str], seconds: int) -> Load:
    """Read the paths for some seconds, with 16 connections of 2 threads."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % ", ".join(f'"{path}"' for path in paths))
        script.flush()
        command = ["wrk", "-c16", "-t2", f"-d{seconds}s", "-s", str(Path(script.name)), url]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    words = said.rpartition("measured ")[2].split()
    requests, microseconds, p99, errors = (int(word) for word in words)
    if errors or not requests:
        raise RuntimeError(f"{errors} of {requests} requests failed under wrk")
    return Load(requests / microseconds * 1e6, p99 / 1e3)
