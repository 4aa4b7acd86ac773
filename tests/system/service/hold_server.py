"""Run an embedded server until killed: `python hold_server.py HOME [KEYWORD]`; prints its URL once it is up."""

import signal
import sys
from pathlib import Path

from app.storage.embedded import EmbeddedPostgres, processes

if "without-death-signal" in sys.argv:  # what every system but Linux is like
    processes._end_with_parent = lambda parent_death_signal: None


def say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201 - the test reads it


server = EmbeddedPostgres(Path(sys.argv[1]), say=say)
say(server.start())
signal.pause()
