"""Load from ``wrk``: 16 connections that repeat some requests one after the other, over and over."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MISSING = "wrk is not installed: 'apt install wrk' (Debian package wrk)"

REPORT = """
local started = 0
function setup(thread) thread:set("offset", started); started = started + 1 end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("\\nmeasured %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""
READS = """
local paths = {%s}
function init()
  requests, at = {}, offset * math.floor(#paths / 2)
  for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end
end
function request() at = at %% #requests + 1; return requests[at] end
"""
POSTS = """
local headers = {["Content-Type"] = "application/json"%s}
function init() n = offset end
function request() n = n + 2; return wrk.format("POST", "%s", headers, %s) end
"""


@dataclass(frozen=True, slots=True)
class Posts:
    """Requests that post a body each.

    Parameters
    ----------
    body : a Lua expression; ``n`` counts the requests, and no two have the same
    """

    path: str
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def script(self) -> str:
        """Return what wrk runs."""
        more = "".join(f", ['{name}'] = '{value}'" for name, value in self.headers.items())
        return POSTS % (more, self.path, self.body)


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw."""

    per_second: float
    p99_ms: float


def installed() -> bool:
    """Tell whether there is a wrk on this machine."""
    return shutil.which("wrk") is not None


def load(url: str, requests: Sequence[str] | Posts, seconds: int) -> Load:
    """Read some paths, or post, for some seconds, with 16 connections of 2 threads."""
    paths = requests.script if isinstance(requests, Posts) else READS % ", ".join(f'"{p}"' for p in requests)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(REPORT + paths)
        script.flush()
        command = [
            "wrk",
            "-c16",
            "-t2",
            f"-d{seconds}s",
            "--timeout",
            "15s",
            "-s",
            str(Path(script.name)),
            url,
        ]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    words = said.rpartition("measured ")[2].split()
    requested, microseconds, p99, errors = (int(word) for word in words)
    if errors or not requested:
        raise RuntimeError(f"{errors} of {requested} requests failed under wrk")
    return Load(requested / microseconds * 1e6, p99 / 1e3)
