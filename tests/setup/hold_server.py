"""Run an embedded server until killed: `python hold_server.py HOME [KEYWORD]`; prints its URL once it is up."""

import signal
import sys
from pathlib import Path

from app.storage.embedded import EmbeddedPostgres, processes

if "without-death-signal" in sys.argv:  # what every system but Linux is like
    processes._end_with_parent = lambda last_word: None

server = EmbeddedPostgres(Path(sys.argv[1]), say=lambda sentence: print(sentence, flush=True))
print(server.start(), flush=True)
signal.pause()
