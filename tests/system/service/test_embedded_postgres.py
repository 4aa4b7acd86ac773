"""The embedded server against what happens to servers: kill -9, stale files, strange homes, root."""

import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from app.storage.embedded import AlreadyRunning, CannotStart, EmbeddedPostgres, binaries, running_url
from tests.support.databases import connect
from tests.support.processes import THROW_AWAY, Spawn, alive, postmaster

HOLD = Path(__file__).with_name("hold_server.py")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="is about what root must do")
not_as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may do it")


def test_the_database_speaks_utf8_sorts_by_code_point_and_checks_its_pages(used_home: Path) -> None:
    asked = (
        "select pg_encoding_to_char(encoding), datlocale, current_setting('data_checksums') from pg_database"
    )
    with (
        EmbeddedPostgres(used_home, THROW_AWAY) as server,
        connect(server.url_for("groundhog")) as connection,
    ):
        assert set(connection.execute(asked).fetchall()) == {("UTF8", "C.UTF-8", "on")}
        assert connection.info.server_version // 10_000 == 18


def test_writes_of_a_service_are_on_disk_before_they_are_acknowledged(used_home: Path) -> None:
    with EmbeddedPostgres(used_home) as server, connect(server.url_for("groundhog")) as connection:
        asked = "select current_setting('fsync'), current_setting('synchronous_commit')"
        assert connection.execute(asked).fetchone() == ("on", "on")


def test_only_the_owner_can_reach_the_socket_and_read_the_password(used_home: Path) -> None:
    with EmbeddedPostgres(used_home, THROW_AWAY):
        assert stat.S_IMODE((used_home / "run").stat().st_mode) == 0o700
        assert stat.S_IMODE((used_home / "password").stat().st_mode) == 0o600


def test_nobody_connects_without_the_password(used_home: Path) -> None:
    (used_home / "password").write_text("guessed")
    with pytest.raises(CannotStart, match="password authentication failed"):
        EmbeddedPostgres(used_home).start()


def test_kill_9_leaves_no_server_behind_and_loses_no_acknowledged_write(
    used_home: Path, spawn: Spawn
) -> None:
    service = spawn(HOLD, used_home)
    with connect(service.stdout.readline().strip()) as connection:
        connection.execute("create table kept as select 1 as row")
    pid = postmaster(used_home)
    service.kill()
    with EmbeddedPostgres(used_home) as server, connect(server.url_for("groundhog")) as connection:
        assert not alive(pid)
        assert connection.execute("select row from kept").fetchone() == (1,)


def test_a_server_that_outlived_its_service_is_stopped_by_the_next_start(
    used_home: Path, spawn: Spawn
) -> None:
    service = spawn(HOLD, used_home, "without-death-signal")
    service.stdout.readline()
    leftover = postmaster(used_home)
    service.kill()
    service.wait()
    assert alive(leftover)
    with EmbeddedPostgres(used_home, THROW_AWAY):
        assert postmaster(used_home) != leftover
        assert not alive(leftover)


def test_a_server_killed_with_its_service_blocks_nothing(used_home: Path, spawn: Spawn) -> None:
    service = spawn(HOLD, used_home)
    service.stdout.readline()
    os.kill(postmaster(used_home), signal.SIGKILL)
    service.kill()
    with (
        EmbeddedPostgres(used_home, THROW_AWAY) as server,
        connect(server.url_for("groundhog")) as connection,
    ):
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_server_that_is_killed_is_started_again_under_the_same_address(used_home: Path) -> None:
    with EmbeddedPostgres(used_home) as server:
        server.keep_running()
        os.kill(postmaster(used_home), signal.SIGKILL)
        _until(lambda: _answers(server.url_for("groundhog")))


def _answers(url: str) -> bool:
    try:
        with connect(url) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_a_stale_pid_file_that_names_a_living_stranger_blocks_nothing(used_home: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        lines = [
            str(stranger.pid),
            str(used_home / "data18"),
            "1700000000",
            "5432",
            str(used_home / "run"),
            "",
            "",
        ]
        (used_home / "data18" / "postmaster.pid").write_text("\n".join([*lines, "ready   "]) + "\n")
        with EmbeddedPostgres(used_home, THROW_AWAY):
            assert postmaster(used_home) != stranger.pid
        assert stranger.poll() is None
        stranger.kill()


def test_a_stale_socket_blocks_nothing(used_home: Path) -> None:
    (used_home / "run" / ".s.PGSQL.5432").touch()
    (used_home / "run" / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n/data\n0\n5432\n\n")
    with (
        EmbeddedPostgres(used_home, THROW_AWAY) as server,
        connect(server.url_for("groundhog")) as connection,
    ):
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_second_server_on_a_home_says_which_one_is_running(used_home: Path) -> None:
    with EmbeddedPostgres(used_home, THROW_AWAY) as server:
        server.announce("http://127.0.0.1:8000")
        with pytest.raises(
            AlreadyRunning, match=rf"process {os.getpid()}, at http://127\.0\.0\.1:8000"
        ) as refusal:
            EmbeddedPostgres(used_home).start()
        assert refusal.value.pid == os.getpid()
        assert refusal.value.url == server.url_for("groundhog")


def test_a_running_server_is_found_by_its_home_and_a_stopped_one_is_not(
    used_home: Path, spawn: Spawn
) -> None:
    assert running_url(used_home) is None
    service = spawn(HOLD, used_home)
    url = service.stdout.readline().strip()
    assert running_url(used_home) == url
    service.kill()
    service.wait()
    assert running_url(used_home) is None


def test_a_creation_that_was_cut_short_is_done_again(home: Path, spawn: Spawn) -> None:
    service = spawn(HOLD, home)
    _until((home / "data18-unfinished" / "base").exists)
    service.kill()
    with EmbeddedPostgres(home, THROW_AWAY) as server, connect(server.url_for("groundhog")) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert not (home / "data18-unfinished").exists()


def _until(fact: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 300
    while not fact():
        assert time.monotonic() < give_up, "waited for five minutes"
        time.sleep(0.001)


def test_a_home_with_a_long_or_odd_path_has_its_socket_elsewhere(folder: Path, used_home: Path) -> None:
    odd = folder / ("long, and 'odd' \"too\" " + "x" * 90)
    used_home.rename(odd)
    with EmbeddedPostgres(odd, THROW_AWAY) as server, connect(server.url_for("groundhog")) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
        assert running_url(odd) == server.url_for("groundhog")
    server._sockets.rmdir()


def test_a_setting_that_postgresql_rejects_is_quoted_in_the_error(used_home: Path) -> None:
    with pytest.raises(CannotStart, match='invalid value for parameter "max_connections": "many"'):
        EmbeddedPostgres(used_home, {"max_connections": "many"}).start()


@pytest.mark.parametrize("home", ["/proc/groundhog", "/dev/null", f"/tmp/{'x' * 300}", f"/tmp/{'x/' * 500}"])
def test_a_home_that_cannot_be_made_gets_one_sentence(home: str) -> None:
    with pytest.raises(CannotStart, match="GROUNDHOG_HOME"):
        EmbeddedPostgres(Path(home)).start()


def test_a_missing_wheel_gets_one_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.storage.embedded.binaries.find_spec", lambda name: None)
    with pytest.raises(CannotStart, match="set DATABASE_URL"):
        EmbeddedPostgres(home).start()


@not_as_root
def test_a_home_of_somebody_else_gets_one_sentence() -> None:
    with pytest.raises(CannotStart, match="Permission denied"):
        EmbeddedPostgres(Path("/usr/groundhog")).start()


@as_root
def test_root_runs_the_server_as_another_account_and_touches_nothing_outside_the_home(folder: Path) -> None:
    before = folder.stat()
    with EmbeddedPostgres(folder / "home", THROW_AWAY):
        assert Path(f"/proc/{postmaster(folder / 'home')}").stat().st_uid != 0
        assert [path.name for path in folder.iterdir()] == ["home"]
        assert (folder.stat().st_mode, folder.stat().st_uid) == (before.st_mode, before.st_uid)


@as_root
def test_root_takes_the_account_that_owns_the_data_already(used_home: Path) -> None:
    for path in (used_home / "data18", *(used_home / "data18").rglob("*"), *used_home.glob("*")):
        os.chown(path, 65534, 65534)
    with EmbeddedPostgres(used_home, THROW_AWAY):
        assert Path(f"/proc/{postmaster(used_home)}").stat().st_uid == 65534


@as_root
def test_a_parent_closed_to_the_account_is_named(folder: Path) -> None:
    folder.chmod(0o700)
    with pytest.raises(CannotStart, match=f"may not enter {folder}: choose a GROUNDHOG_HOME"):
        EmbeddedPostgres(folder / "home").start()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not (folder / "home").exists()


@as_root
def test_programs_in_a_closed_folder_are_copied_into_the_home(
    used_home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "closed").mkdir(mode=0o700)
    package = binaries._package()
    for part in package, package.with_name(f"{package.name}.libs"):
        shutil.copytree(part, folder / "closed" / part.name, symlinks=True)
    monkeypatch.setattr(binaries, "_package", lambda: folder / "closed" / package.name)
    with EmbeddedPostgres(used_home, THROW_AWAY):
        assert (
            f"{used_home}/programs18-".encode() in Path(f"/proc/{postmaster(used_home)}/cmdline").read_bytes()
        )
    assert stat.S_IMODE((folder / "closed").stat().st_mode) == 0o700
