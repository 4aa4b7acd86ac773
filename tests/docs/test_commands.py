"""Every `groundhog` command and every `make` target that a page names exists, with its options.

The commands that call a service are run by test_readme.py.
"""

import re
import shlex
from pathlib import Path

import pytest
import typer

from app.cli.main import commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
GROUNDHOG = re.compile(r"(?:^|[|\s(]|\.venv/bin/)groundhog ([a-z][^|)#\n]*)", re.MULTILINE)
COMMANDS = [
    pytest.param(shlex.split(line), id=f"{page.stem}: {line.strip()}")
    for page in PAGES
    for text in BLOCK.findall(page.read_text())
    if "kubectl" not in text  # another command's arguments
    for line in GROUNDHOG.findall(re.sub(r"\\\n\s*", "", text))
]


def parsed(words):
    """What the command line makes of the words; it raises for what it does not know."""
    name, *words = words
    command = typer.main.get_command(commands).commands[name]
    if hasattr(command, "commands"):  # a group: keys, simulate
        name, *words = words
        command = command.commands[name]
    return command.make_context(name, words)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_groundhog_command_of_a_page_exists_with_its_options(words):
    assert parsed(words).params


def test_the_pages_name_commands_and_an_unknown_option_would_be_noticed():
    assert len(COMMANDS) >= 10
    with pytest.raises(Exception, match="No such option"):
        parsed(["keys", "create", "shop", "--no-such-option"])


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_of_a_page_exists(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = document.read_text()
    named = re.findall(r"(?:`|^ *)make ([a-z-]+)", text, re.MULTILINE)
    assert set(named) - targets == set()
