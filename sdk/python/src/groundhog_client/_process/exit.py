"""Functions that are called when the process ends, in every way of ending that lets a program act.

These are the end of the interpreter, the end of a child of `multiprocessing` (which skips `atexit` in Python 3.11)
and SIGTERM where the program has no handler of its own. ``os._exit``, SIGKILL and other signals end a process at
once.
"""

import atexit
import logging
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import util
from types import FrameType

logger = logging.getLogger("groundhog_client")

Function = Callable[[], None]

_functions: list[Function] = []
_prepared = False


def call_at_exit(function: Function) -> None:
    """Have a function called when this process, or one forked from it, ends; the last one added first."""
    _functions.append(function)
    _prepare()
    _handle_sigterm()


def forget_at_exit(function: Function) -> None:
    """Undo `call_at_exit`."""
    if function in _functions:
        _functions.remove(function)


def _call_all() -> None:
    """Call each function; one that a signal interrupts is called again by the signal's handler."""
    for function in reversed(list(_functions)):
        try:
            function()
        except Exception:
            logger.exception("the process ends, and this failed")
        forget_at_exit(function)


def _prepare() -> None:
    """Register with everything that a forked child inherits, or takes up in its beginning."""
    global _prepared
    if _prepared:
        return
    _prepared = True
    atexit.register(_call_all)
    _at_end_of_child()
    util.register_after_fork(_call_all, lambda _: _at_end_of_child())


def _at_end_of_child() -> None:
    """Register with `multiprocessing`, which forgets in a child what its parent registered."""
    util.Finalize(None, _call_all, exitpriority=0)


def _handle_sigterm() -> None:
    """Handle SIGTERM, unless the program does or this is not the main thread, where Python allows no handlers."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_sigterm)


def _on_sigterm(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the form of a handler
    signal.signal(number, signal.SIG_DFL)  # a second signal ends the process at once
    _call_all()
    os.kill(os.getpid(), number)
