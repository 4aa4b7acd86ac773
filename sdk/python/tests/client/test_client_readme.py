"""The README's lines, run one block after the other against the service, print what the README says they print."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from groundhog_client import Client

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", README, re.DOTALL)


def test_the_first_block_is_ten_lines_with_the_installation():
    installation = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line for line in (installation[0] + BLOCKS[0][0]).splitlines() if line]
    assert len(lines) <= 10


def here(code, url):
    """The code with the address of the service under test, and longer limits: this machine may be busy."""
    patient = re.sub(r"(decide\w*\(.*?)\)(\.|\n)", r"\1, within=30)\2", code)
    return patient.replace("http://localhost:8000", url)


def printed(code, url, known):
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(here(code, url), known)
    return output.getvalue()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("folder")
def test_the_readme_does_what_it_says_and_can_be_run_again(service_url):
    known = {}
    for code, said in BLOCKS:
        output = printed(code, service_url, known)
        if said:
            assert output == said
    for code, _ in BLOCKS:
        printed(code, service_url, known)
    with Client(service_url) as client:
        (day,) = client.each_daily_total("signup_button")
    assert (day.impressions, day.successes) == (1, 1)


def test_the_examples_use_nothing_that_is_deprecated():
    code = "".join(code for code, _ in BLOCKS)
    for old in ("Patience", "Refusal", "kept_answers", "on_refused", "patience=", ".shown(", ".trouble"):
        assert old not in code
