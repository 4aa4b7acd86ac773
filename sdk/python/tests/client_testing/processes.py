"""Programs that fork, end and are killed, as processes of their own: a test process should do none of it."""

import json
import subprocess
import sys
from typing import Any

PRELUDE = """
import asyncio, json, multiprocessing, os, signal, sys, threading, time
from groundhog_client import AsyncClient, Batching, Client, GroundhogError, RetryPolicy

URL = sys.argv[1]
STUBBORN = RetryPolicy(timeout=30.0, deadline=60.0, first_wait=0.02)
LATER = Batching(interval=600)


def report(value):
    os.write(1, (json.dumps(value) + "\\n").encode())  # in one piece: several processes report


def forked(work, *args):
    \"\"\"Do something in a forked child, which ends as children of multiprocessing do.\"\"\"
    child = multiprocessing.get_context("fork").Process(target=work, args=args)
    child.start()
    return child


def joined(child):
    child.join(60)
    if child.exitcode is None:
        child.kill()
    return child.exitcode

"""


def program(text: str, *args: str) -> subprocess.Popen[str]:
    """Start a program; warnings are errors in it, as in the tests."""
    command = [sys.executable, "-W", "error", "-c", PRELUDE + text, *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def reported(text: str, *args: str) -> list[Any]:
    """Run a program to its end and return what it reported; it must end well and complain of nothing."""
    running = program(text, *args)
    output, complaints = running.communicate(timeout=120)
    assert (running.returncode, complaints) == (0, ""), complaints
    return [json.loads(line) for line in output.splitlines()]
