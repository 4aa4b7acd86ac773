"""`groundhog simulate`, without a service and without a database."""

import csv
import json
import sys

import pytest

from app.cli.main import main
from app.errors import Invalid
from tests.support.command import run

EMAIL = ["simulate", "email", "--emails", "300", "--days", "3", "--replications", "2"]
CLV = ["simulate", "clv", "--customers", "2000", "--days", "10", "--quota", "20", "--replications", "2"]


@pytest.mark.parametrize("asked", [EMAIL, CLV], ids=["email", "clv"])
def test_a_table_names_every_policy(asked):
    table = run(*asked, "--policy", "thompson", "--policy", "uniform").stdout
    assert "thompson" in table
    assert "uniform" in table
    assert "±" in table


def test_a_kind_that_plays_twice_is_distinguished_by_its_parameters():
    table = run(
        *EMAIL, "--policy", "epsilon_greedy", "--policy", "epsilon_greedy:epsilon=0.3", "--csv", "/dev/stdout"
    )
    assert "epsilon 0.1" in table.stdout
    assert "epsilon 0.3" in table.stdout


def test_the_json_is_the_one_of_the_api(client):
    told = json.loads(run(*EMAIL, "--json").stdout)
    served = client.post("/simulations/email", json={"emails": 300, "days": 3, "replications": 2}).json()
    assert told.items() <= served.items()
    assert told["policies"]


def test_options_come_before_set_fields_and_both_before_the_file(tmp_path):
    file = tmp_path / "request.json"
    file.write_text(
        json.dumps({"emails": 100, "days": 2, "seed": 7, "replications": 1, "burn_in": {"days": 2}})
    )
    told = run(
        "simulate", "email", "--request", file, "--emails", 50, "--set", "burn_in.share=5", "--json"
    ).stdout
    asked = json.loads(told)["request"]
    assert (asked["emails"], asked["seed"]) == (50, 7)
    assert asked["burn_in"] == {"days": 2, "impressions": 0, "successes": 0, "share": 5.0}


@pytest.mark.parametrize(
    ("delay", "sent"),
    [
        ("3", 3),
        ("fixed:days=3", {"kind": "fixed", "days": 3, "at_once": 0.0}),
        ("geometric:mean=7,at_once=0.2", {"kind": "geometric", "mean": 7.0, "at_once": 0.2}),
    ],
)
def test_a_delay_is_a_number_or_a_distribution_on_one_line(delay, sent):
    told = run(*EMAIL, "--cadence", "daily", "--delay", delay, "--json").stdout
    assert json.loads(told)["request"]["delay"] == sent


@pytest.mark.parametrize("asked", [EMAIL, CLV], ids=["email", "clv"])
def test_files_hold_the_summary_the_curve_and_the_picture(tmp_path, asked):
    run(*asked, "--csv", tmp_path / "a.csv", "--curve", tmp_path / "b.csv", "--png", tmp_path / "c.png")
    summary, curve = (
        list(csv.DictReader((tmp_path / name).read_text().splitlines())) for name in ("a.csv", "b.csv")
    )
    assert {row["policy"] for row in summary} == {row["policy"] for row in curve}
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["email", "--rates", "0.1,2"], "rates.1: Input should be less than or equal to 1"),
        (["email", "--delay", "geometric:mean"], "write kind, or kind:name=value"),
        (["email", "--cadence", "daily", "--delay", "weekly:days=1"], "none, fixed or geometric"),
        (["email", "--delay", "geometric:mean=3"], "needs the cadence daily"),
        (["email", "--policy", "nobody"], "there is no policy 'nobody'"),
        (["email", "--policy", "thompson:x"], "write kind, or kind:name=value"),
        (["email", "--set", "emails"], "write name=value"),
        (["clv", "--request", "nowhere.json"], "cannot be read"),
        (["clv", "--png", "/nowhere/a.png"], "cannot be written"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments, message):
    with pytest.raises(Invalid, match=message):
        run("simulate", *arguments)


WIDE = [
    "--policy",
    "thompson",
    "--policy",
    "epsilon_greedy:epsilon=0.123",
    "--policy",
    "epsilon_greedy_original",
]


@pytest.mark.parametrize(
    ("asked", "last"),
    [
        ([*EMAIL, *WIDE], "day"),
        (
            ["simulate", "email", "--emails", 900_000, "--cadence", "daily", "--replications", 2, *WIDE[:4]],
            "day",
        ),
        ([*CLV, "--policy", "thompson", "--policy", "random_crayfish"], "cost, EUR"),
    ],
    ids=["small", "large", "clv"],
)
def test_a_table_fits_80_columns_with_every_column_and_number_whole(asked, last, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    table = run(*asked).stdout
    lines = table.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].rstrip().endswith(last)
    assert "…" not in table


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulate", "email", "--days", "0"], "groundhog: days: Input should be greater than or equal to 1"),
        (["simulate", "email", "--set", "foo=1"], "groundhog: foo: Extra inputs are not permitted"),
        (
            ["simulate", "email", "--days", "0", "--seed", "-1"],
            "groundhog: days: Input should be greater than or equal to 1\n"
            "  seed: Input should be greater than or equal to 0",
        ),
    ],
)
def test_an_error_is_said_once_by_the_name_of_the_field(arguments, said, monkeypatch):
    assert sentence(arguments, monkeypatch) == said


@pytest.mark.parametrize("command", [["export"], ["load"], ["import"], ["delete"], ["simulate", "replay"]])
def test_an_argument_that_is_not_utf_8_ends_in_a_sentence(command, monkeypatch):
    said = sentence([*command, "caf\udce9"], monkeypatch)
    assert said == r"groundhog: The argument caf\xe9 is not UTF-8."


@pytest.mark.parametrize("name", ["GROUNDHOG_HOST", "DATABASE_URL", "READ_DATABASE_URL"])
def test_a_setting_that_is_not_utf_8_ends_in_a_sentence_without_its_value(name, monkeypatch):
    monkeypatch.setenv(name, "postgresql://me:caf\udce9@localhost/x")
    said = sentence(["openapi"], monkeypatch)
    assert said == f"groundhog: The environment variable {name} is not UTF-8."


def sentence(arguments, monkeypatch):
    """Return what the whole command ends with."""
    monkeypatch.setattr(sys, "argv", ["groundhog", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code
