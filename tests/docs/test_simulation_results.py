"""The page of simulation results: every inherited claim is on it, every value was played and has its interval."""

import re

import pytest

from app.simulation import clv, email
from benchmarks.results.__main__ import PAGE, generate
from benchmarks.results.claims import CLAIMS
from benchmarks.results.decisions import reached
from benchmarks.results.measured import Size, campaign, race
from benchmarks.results.text import mean_of, part

TINY = Size(email=3, decisions=2, others=2, clv=2, google=3, delay=2, clv_days=60, delay_days=10)
INTERVAL = re.compile(r"\(\S.* to .*\S\)")
WITHOUT_INTERVALS = (
    "95 % of single", "Policy", "Decides", "Traffic by", "World", "Claim", "Most any", "Reported",
    "The original's times",
)  # fmt: skip
WITHOUT = re.compile(r"by definition|exact|spread not known|^-$|it had none")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A page of a few replications, and what was measured for it."""
    target = tmp_path_factory.mktemp("docs") / "benchmarks" / "simulation-results.md"
    target.parent.mkdir()
    return generate(target, TINY), target.read_text()


def tables(text):
    """Each table's head and rows, as lists of cells."""
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = (
            [cell.strip() for cell in line.strip("|\n").split("|")] for line in block.splitlines()
        )
        yield head, rows


def measured_columns(head):
    """Those whose values are estimates of a mean or a share."""
    return [i for i, name in enumerate(head) if name and not name.startswith(WITHOUT_INTERVALS)]


@pytest.fixture(params=["tiny", "docs"])
def text(request):
    """The page of a few replications, and the one in docs/."""
    return request.getfixturevalue("tiny")[1] if request.param == "tiny" else PAGE.read_text()


def test_the_page_names_every_inherited_claim(text):
    assert [claim for claim in CLAIMS if f"| {claim} |" not in text] == []


def test_every_value_has_its_interval(text):
    cells = [
        row[i]
        for head, rows in tables(text)
        for row in rows
        for i in measured_columns(head)
        if not row[i].startswith("the same values")
    ]
    assert len(cells) > 150
    assert [cell for cell in cells if not INTERVAL.search(cell) and not WITHOUT.search(cell)] == []


def test_the_conversions_are_those_of_play(tiny):
    played = email.play(campaign(TINY.email, "daily"))
    for policy in played.policies:
        assert f"| {mean_of(policy.ledger.won.sum(axis=0))} |" in tiny[1]


def test_the_customer_lifetime_values_are_those_of_play(tiny):
    played = clv.play(race(TINY))
    for place in range(len(played.race.policies)):
        assert f"| {mean_of(played.final(place))} |" in tiny[1]


def test_a_part_of_all_has_wilsons_interval():
    assert part([True] * 4 + [False] * 6) == "40.0 % (16.8 % to 68.7 %)"


def test_a_wrong_answer_is_no_decision(tiny):
    played = tiny[0].decisions["daily"].policies[-1]
    played.ledger.decided_day[:], played.ledger.decided_right[:] = 1, [True, False]
    assert reached(played, 1.0).emails == float("inf")
    played.ledger.decided_right[:] = True
    assert round(reached(played, 1.0).emails) == 333
