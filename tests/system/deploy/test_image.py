"""The image without an engine: its tree laid out as the Dockerfile says, its own commands run in it.

They run as an ordinary account that owns nothing there, and nothing there can be written to. Where root runs the
tests it is the image's own, 10001; else it is whoever runs them.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from app.web import vega_bundle
from tests.support import ROOT
from tests.support.databases import fresh_database
from tests.support.processes import open_folder
from tests.system.deploy.wire import over_tcp

DOCKERFILE = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
NOT_COPIED = ("__pycache__", "generated")
USER = 10001


def instructions(name):
    """What an instruction of the Dockerfile says, each time it is there."""
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)


def command(name):
    """The exec form of an instruction: no shell stands between."""
    return json.loads(instructions(name)[-1].partition("CMD ")[2] or instructions(name)[-1])


def copied():
    """The paths of this tree that end in the image, as the COPY lines name them."""
    lines = [shlex.split(line) for line in instructions("COPY") if "--from=build" not in line]
    return {source.rstrip("/") for *sources, _ in lines for source in sources}


def allowed():
    """What .dockerignore lets through."""
    return {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}


@pytest.fixture(scope="module")
def tree():
    """The folder /app of the image, which nobody may write to."""
    with open_folder() as folder:
        app = folder / "app"
        app.mkdir()
        for source in copied() - {"requirements/run.txt"}:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, app / source, ignore=shutil.ignore_patterns(*NOT_COPIED))
            else:
                shutil.copy(ROOT / source, app / source)
        vega_bundle.make()  # as the Dockerfile does; `make` has done it here already
        shutil.copytree(ROOT / "app/web/generated", app / "app/web/generated")
        _forbid_writing(app)
        yield app
        for path in [app, *app.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)


def _forbid_writing(app):
    for path in [app, *app.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.fixture(scope="module")
def commands(tree):
    """A folder with `python` and `groundhog` as the image has them in its PATH."""
    folder = tree.parent / "bin"
    folder.mkdir()
    candidates = [Path(sys.executable).resolve(), Path(f"/usr/bin/python3.{sys.version_info.minor}")]
    for python in filter(Path.exists, candidates):
        tried = subprocess.run(
            ["sh", "-c", f"{python} -c 'import numpy'"], env=paths(tree), check=False, **account()
        )
        if tried.returncode == 0:
            (folder / "python").symlink_to(python)
            (folder / "groundhog").write_text(f"#!{folder}/python\nfrom app.cli.main import main\nmain()\n")
            (folder / "groundhog").chmod(0o555)
            return folder
    pytest.skip("no Python here can be run by another account")


def account():
    return {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}


def paths(tree):
    return {
        "PYTHONPATH": f"{tree}:{sysconfig.get_path('purelib')}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": "/usr/bin:/bin",
    }


@pytest.fixture(scope="module")
def container(tree, commands, server_url):
    """Return how the image's commands are started."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = dict(re.findall(r"(\w+)=(\S+)", " ".join(instructions("ENV"))))
    with fresh_database(server_url) as own, over_tcp(own) as url:
        environment |= paths(tree) | {
            "PATH": f"{commands}:/usr/bin:/bin",
            "DATABASE_URL": url,
            "GROUNDHOG_HOST": "127.0.0.1",  # not all addresses of this machine
            "GROUNDHOG_PORT": str(port),
            "GROUNDHOG_ADMIN_KEY": "gh_admin_" + "0" * 64,
            "GROUNDHOG_MIGRATE": "false",  # as compose and Kubernetes say
            "HOME": "/nonexistent",
        }

        def start(words):
            said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
            return subprocess.Popen(
                [commands / words[0], *words[1:]], cwd=tree, env=environment, **said, **account()
            )

        yield start


def finished(process):
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, said
    return said


def ended(process):
    process.communicate(timeout=300)
    return process.returncode


def test_the_image_gets_what_it_copies_and_nothing_else():
    assert copied() <= allowed()
    assert {"app", "migrations", "alembic.ini"} <= copied()
    assert [path for path in copied() if not (ROOT / path).exists()] == []


def test_wheels_are_installed_by_hash_and_only_in_the_first_stage():
    _, first, second = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
    assert "--require-hashes -r requirements/run.txt" in first
    assert "pip install" not in second
    assert second.count("COPY --from=build") == 2


def test_the_commands_are_in_exec_form():
    for name in ("ENTRYPOINT", "CMD", "HEALTHCHECK"):
        assert all(isinstance(word, str) for word in command(name))


def test_the_code_of_the_tree_is_what_runs(container, tree):
    said = finished(container(["python", "-c", "import app; print(app.__file__)"]))
    assert Path(said.strip()) == tree / "app/__init__.py"


def test_the_image_migrates_serves_is_healthy_and_stops_on_request(container, tree):
    health = command("HEALTHCHECK")
    finished(container([*command("ENTRYPOINT"), "migrate"]))
    serving = container(command("ENTRYPOINT") + command("CMD"))
    give_up = time.monotonic() + 300
    while ended(container(health)) != 0:
        assert serving.poll() is None, serving.stdout.read()
        assert time.monotonic() < give_up
        time.sleep(0.5)
    made = finished(container([*command("ENTRYPOINT"), "keys", "create", "shop", "--scope", "report"]))
    assert "gh_" in made
    serving.send_signal(signal.SIGTERM)
    finished(serving)
    assert ended(container(health)) != 0
    assert not list(tree.rglob("__pycache__"))
