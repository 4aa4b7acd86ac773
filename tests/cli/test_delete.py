"""`groundhog delete`: asked for, exported first if wished."""

import io
import sys
from contextvars import copy_context

import pytest

from app.cli.main import main
from tests.support.totals import total


@pytest.fixture
def client(client):
    client.post("/metrics/", json=[total(), total("bold")]).raise_for_status()
    return client


@pytest.fixture
def groundhog(monkeypatch, capfd, database_url):
    """Run a command with an answer typed on a terminal, or without one; return its end and what it printed."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir("/")  # where no .env lies

    def run(*arguments, typed=None):
        terminal = io.StringIO("" if typed is None else f"{typed}\n")
        terminal.isatty = lambda: typed is not None
        monkeypatch.setattr(sys, "stdin", terminal)
        monkeypatch.setattr(sys, "argv", ["groundhog", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            copy_context().run(main)  # its principal and audit entry end with it, as with a process
        return end.value.code, capfd.readouterr().out

    return run


def exists(client):
    return client.get("/experiments/homepage").status_code == 200


def test_an_experiment_is_deleted_once_its_id_is_typed(groundhog, client):
    code, printed = groundhog("delete", "homepage", typed="homepage")
    assert code == 0
    assert "Deleted homepage: 2 variants, 2 daily totals" in printed
    assert not exists(client)


@pytest.mark.parametrize("typed", ["", "yes", "Homepage"])
def test_anything_else_deletes_nothing(groundhog, client, typed):
    code, _ = groundhog("delete", "homepage", typed=typed)
    assert code == "groundhog: That is not its id; nothing was deleted."
    assert exists(client)


def test_without_a_terminal_it_requires_an_option(groundhog, client):
    code, _ = groundhog("delete", "homepage")
    assert "2 daily totals" in code
    assert "Nothing was deleted: add --yes." in code
    assert exists(client)
    assert groundhog("delete", "homepage", "--yes")[0] == 0
    assert not exists(client)


def test_it_is_exported_first_and_can_be_imported_again(groundhog, client, tmp_path):
    file = tmp_path / "homepage.ndjson"
    assert groundhog("delete", "homepage", "--yes", "--export", file)[0] == 0
    assert not exists(client)
    assert groundhog("import", file)[0] == 0
    assert len(client.get("/metrics/homepage").json()["items"]) == 2


def test_nothing_is_deleted_if_the_file_cannot_be_written(groundhog, client, tmp_path):
    code, _ = groundhog("delete", "homepage", "--yes", "--export", tmp_path / "nowhere" / "file")
    assert "cannot be written" in code
    assert exists(client)


def test_an_unknown_experiment_is_a_sentence(groundhog):
    assert groundhog("delete", "nobody", "--yes")[0] == "groundhog: there is no experiment 'nobody'"


def test_the_audit_names_the_command(groundhog, client):
    groundhog("delete", "homepage", "--yes")
    _, entries = groundhog("audit", "--about", "homepage")
    assert "command line" in entries.splitlines()[1]
    assert "delete_experiment" in entries
