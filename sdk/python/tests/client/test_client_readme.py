"""The README's lines, run one block after the other against the service, print what the README says they print."""

import contextlib
import io
import re
from pathlib import Path

from groundhog_client import Client

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", README, re.DOTALL)


def test_the_first_block_is_ten_lines_with_the_installation():
    installation = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line for line in (installation[0] + BLOCKS[0][0]).splitlines() if line]
    assert len(lines) <= 10


def here(code, url):
    """The code with the address of the service under test, and more retries: this machine may be busy."""
    patient = re.sub(r"(decide\w*\(.*?)\)(\.|\n)", r"\1, within=30)\2", code)
    return patient.replace("http://localhost:8000", url)


def test_the_readme_does_what_it_says(service_url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = {}
    for code, said in BLOCKS:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(here(code, service_url), known)
        if said:
            assert printed.getvalue() == said
    with Client(service_url) as client:
        (day,) = client.each_daily_total("signup_button")
    assert (day.impressions, day.successes) == (1, 1)
