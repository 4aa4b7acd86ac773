"""Break `app/bandits` one place at a time and list what no test notices: `python -m tests.mutation`.

A copy of app/ and tests/bandits goes into a temporary folder. There pytest collects the tests once; a traced run
tells which test reaches which line. For each place a child is forked: it takes the broken code, defaults and
constants into the modules that it already has, and runs the tests that reach the line until one fails: those first
that have found most, then the fastest.
"""

# ruff: noqa: T201 - it speaks to a person

import argparse
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import _lru_cache_wrapper
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import hypothesis
import pytest

from tests.mutation.places import Place, mutants

ROOT = Path(__file__).parents[2]
MEMORY = 4 << 30
PYTEST = ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:faulthandler", "--tb=no"]
PYTEST += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is loaded before pytest starts


class Loop:
    """In place of pytest's own loop over the collected tests: call `body`, which may run some of them."""

    def __init__(self, body: Callable[["Loop"], None]) -> None:
        self.body, self.failed = body, False

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.session, self.items = session, {item.nodeid: item for item in session.items}
        self.body(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed |= report.failed

    def run(self, name: str) -> bool:
        """Run one test; return whether it passed."""
        self.session.config.hook.pytest_runtest_protocol(item=self.items[name], nextitem=None)
        return not self.failed


def in_child(work: Callable[[], Any]) -> Any:
    """What `work` returns in a forked child, or the name of the signal that ended it."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reader)
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
        for stream in (1, 2):
            os.dup2(sys.stdout.fileno(), stream)
        try:
            answer = work()
        except BaseException as fault:  # whatever a broken module raises
            answer = f"{type(fault).__name__} on import: {fault}"
        with os.fdopen(writer, "w") as pipe:
            json.dump(answer, pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = pipe.read()
    status = os.waitpid(child, 0)[1]
    return json.loads(answer) if answer else signal.Signals(os.WTERMSIG(status)).name


def measured(loop: Loop, folder: str) -> dict[str, tuple[float, dict[str, list[int]]]]:
    """For each test that passes its seconds, and the lines of app/bandits that it reaches by file."""
    found = {}
    for name in loop.items:
        lines: dict[str, set[int]] = {}

        def local(frame: Any, event: str, _: Any, lines: Any = lines) -> Any:
            lines.setdefault(os.path.basename(frame.f_code.co_filename), set()).add(frame.f_lineno)
            return local

        def entered(frame: Any, event: str, _: Any, local: Any = local) -> Any:
            return local(frame, event, None) if frame.f_code.co_filename.startswith(folder) else None

        for cached in (o for o in gc.get_objects() if isinstance(o, _lru_cache_wrapper)):
            cached.cache_clear()
        start = time.monotonic()
        sys.settrace(entered)
        passed = loop.run(name)
        sys.settrace(None)
        if passed:
            found[name] = (time.monotonic() - start, {file: sorted(at) for file, at in lines.items()})
        loop.failed = False
    return found


def functions_of(modules: set[str]) -> dict[str, list[FunctionType]]:
    """The functions that the garbage collector watches, by module and name."""
    found: dict[str, list[FunctionType]] = {}
    for known in gc.get_objects():
        if isinstance(known, FunctionType) and known.__module__ in modules:
            found.setdefault(f"{known.__module__}.{known.__qualname__}", []).append(known)
        elif isinstance(known, _lru_cache_wrapper):
            known.cache_clear()
    return found


def break_module(name: str, code: CodeType, old: dict[str, list[FunctionType]]) -> None:
    """Put a module's broken code, defaults and constants into the module that everyone has imported."""
    module = sys.modules[name]
    broken: dict[str, Any] = {"__name__": name}
    exec(code, broken)
    for key, functions in functions_of({name}).items():
        for known, new in ((known, new) for known in old.get(key, []) for new in functions):
            known.__defaults__, known.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
            if known.__code__.co_filename == new.__code__.co_filename == code.co_filename:
                known.__code__ = new.__code__
    for constant, value in broken.items():
        was = getattr(module, constant, None)
        if isinstance(was, type) and is_dataclass(was) and was.__module__ == name:
            was.__dataclass_fields__ = value.__dataclass_fields__
        elif isinstance(was, int | float | tuple | dict) and was != value:
            for user in list(sys.modules.values()):
                if vars(user).get(constant) is was:
                    setattr(user, constant, value)


def first_failure(loop: Loop, tests: list[str], seconds: dict[str, float]) -> str | None:
    """The test that fails first; one that takes far too long ends the process by SIGALRM."""
    for name in tests:
        signal.setitimer(signal.ITIMER_REAL, 5 + 5 * seconds[name])
        if not loop.run(name):
            return name
    return None


class Check:
    """The places to try, and what became of each, in a file of JSON lines."""

    def __init__(self, folder: Path, wanted: argparse.Namespace) -> None:
        self.bandits, self.results = folder / "app/bandits", wanted.go_on or folder.parent / "results.jsonl"
        self.budget, self.tests = wanted.seconds, wanted.tests
        self.ends = time.monotonic() + wanted.for_seconds
        only = {row["place"] for row in results_in(wanted.again) if row["killer"] is None}
        places = [
            found
            for path in sorted(self.bandits.glob("*.py"), key=lambda path: path.stat().st_size)
            if not wanted.files or path.name in wanted.files
            for found in mutants(path.name, path.read_text(), str(path))
            if wanted.again is None or str(found[0]) in only
        ]
        self.places = places[len(results_in(wanted.go_on)) :]
        self.killers: dict[str, Counter[str]] = {path.name: Counter() for path in self.bandits.glob("*.py")}
        self.found = in_child(lambda: self.collected(lambda loop: measured(loop, str(self.bandits))))
        if isinstance(self.found, str):
            raise SystemExit(self.found)
        self.seconds = {name: taken for name, (taken, _) in self.found.items()}

    def collected(self, body: Callable[[Loop], Any]) -> Any:
        """What `body` returns within a pytest that has collected all tests."""
        answer: list[Any] = []
        pytest.main([*PYTEST, *self.tests], plugins=[Loop(lambda loop: answer.append(body(loop)))])
        return answer[0]

    def tests_of(self, place: Place) -> list[str]:
        """The tests that reach a place, the likeliest first, as many as the budget of seconds allows."""
        lines = set(range(place.first, place.last + 1))
        reached = {name: set(files.get(place.file, ())) for name, (_, files) in self.found.items()}
        tests = [name for name, at in reached.items() if at & lines or not place.in_function]
        killers, total = self.killers[place.file], 0.0
        chosen: list[str] = []
        for name in sorted(tests, key=lambda name: (-killers[name], self.seconds[name])):
            if total + self.seconds[name] <= self.budget or not chosen:
                total += self.seconds[name]
                chosen.append(name)
        return chosen

    def try_place(self, place: Place, code: CodeType, loop: Loop, old: dict[str, list[FunctionType]]) -> None:
        """Break a place in a child, run its tests there, and note what came of it."""
        tests, start = self.tests_of(place), time.monotonic()

        def work() -> str | None:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            signal.setitimer(signal.ITIMER_REAL, 5)
            break_module(f"app.bandits.{place.file[:-3]}", code, old)
            return first_failure(loop, tests, self.seconds)

        killer = in_child(work) if tests else None
        if killer is not None:
            self.killers[place.file][killer] += 1
        taken = round(time.monotonic() - start, 2)
        row = {"place": str(place), "killer": killer, "tests": len(tests), "seconds": taken}
        with self.results.open("a") as results:
            results.write(json.dumps(row) + "\n")
        print("." if killer else f"\n{place} survives {len(tests)} tests, {taken} s", end="", flush=True)

    def try_all(self, loop: Loop) -> None:
        """Try every place, as far as the time goes."""
        old = functions_of({f"app.bandits.{path.stem}" for path in self.bandits.glob("*.py")})
        gc.freeze()  # a child then finds only its own new functions, and copies no pages for counting garbage
        for place, code in self.places:
            if time.monotonic() > self.ends:
                break
            self.try_place(place, code, loop, old)


def results_in(path: Path | None) -> list[dict[str, Any]]:
    """What became of each place of an earlier run, in order; empty without one."""
    return [json.loads(row) for row in path.read_text().splitlines()] if path and path.exists() else []


def main() -> None:
    """Copy, try, and count."""
    parser = argparse.ArgumentParser("python -m tests.mutation")
    parser.add_argument("files", nargs="*", help="names of modules; all without")
    parser.add_argument("--seconds", type=float, default=8, help="of tests per place")
    parser.add_argument("--again", type=Path, help="a results.jsonl: try only what survived there")
    parser.add_argument("--tests", nargs="+", default=["tests/bandits"], help="files or folders of tests")
    parser.add_argument("--for-seconds", type=float, default=float("inf"), help="then stop, to go on later")
    parser.add_argument("--go-on", type=Path, help="a results.jsonl: add the places after its last")
    wanted = parser.parse_args()
    wanted.go_on = wanted.go_on and wanted.go_on.resolve()
    folder = Path(tempfile.mkdtemp(prefix="mutation-")) / "tree"
    for part in ("app", "tests/bandits"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    if (ROOT.parent / "shared").is_dir():
        (folder.parent / "shared").symlink_to(ROOT.parent / "shared")
    for library in ("numpy", "mpmath", "scipy.integrate", "scipy.special", "scipy.stats"):
        importlib.import_module(library)  # once, for all children
    os.chdir(folder)
    sys.path[:] = [str(folder), *(path for path in sys.path if path not in ("", str(ROOT)))]
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    few = hypothesis.settings(max_examples=25, deadline=None, derandomize=True, database=None, phases=phases)
    hypothesis.settings.register_profile("few", few)
    hypothesis.settings.load_profile("few")
    check = Check(folder, wanted)
    print(f"{len(check.places)} places, {len(check.found)} tests that pass; {check.results}", flush=True)
    check.collected(check.try_all)
    killers = [row["killer"] for row in results_in(check.results)]
    print(f"\n{len(killers)} tried, {killers.count(None)} survive, {killers.count('SIGALRM')} took too long")


if __name__ == "__main__":
    main()
