"""Every command of ours that a page names is one, with its options. Those of HTTP: tests/test_readme.py."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from app.cli import commands

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
OURS = re.compile(r"(?:^|[|\s(]|\.venv/bin/)groundhog ([a-z][^|)#\n]*)", re.MULTILINE)
COMMANDS = [
    pytest.param(shlex.split(line), id=f"{paper.stem}: {line.strip()}")
    for paper in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    for text in BLOCK.findall(paper.read_text())
    if "kubectl" not in text  # another command's arguments
    for line in OURS.findall(re.sub(r"\\\n\s*", "", text))
]


def understood(words):
    """What the command line makes of the words; it complains of what it does not know."""
    name, *words = words
    command = typer.main.get_command(commands).commands[name]
    if hasattr(command, "commands"):  # a group: keys, simulate
        name, *words = words
        command = command.commands[name]
    return command.make_context(name, words)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_of_ours_that_a_page_names_is_one_with_its_options(words):
    assert understood(words).params


def test_the_pages_name_commands_and_an_option_that_is_none_would_be_noticed():
    assert len(COMMANDS) >= 10
    with pytest.raises(Exception, match="No such option"):
        understood(["keys", "create", "shop", "--no-such-option"])
