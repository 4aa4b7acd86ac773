"""Log lines as JSON or text, with the request id that ties them together."""

import json
import logging
import time
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="-")


_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, request id, and what the call adds."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record."""
        line: dict[str, Any] = {
            "time": f"{_second(int(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line)


@lru_cache(maxsize=2)
def _second(moment: int) -> str:
    """Return a second, which is the same for many lines."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))


def configure_logging(level: str, form: str) -> None:
    """Send every log line to standard error in the chosen form."""
    handler = logging.StreamHandler()
    if form == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    _leave_out_origins()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def _leave_out_origins() -> None:
    """Spare every record the search for its caller, thread and process, which no line shows (logging HOWTO)."""
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
