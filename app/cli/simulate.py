"""`groundhog simulate`: the simulator, without a service or a database."""

import gzip
import json
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from app.cli.simulation_request import build_request
from app.cli.simulation_tables import TABLES
from app.errors import Invalid

simulate = typer.Typer(
    name="simulate",
    help="Play policies in simulated worlds, or on a log of real decisions.",
    no_args_is_help=True,
)

Policies = Annotated[
    list[str] | None,
    typer.Option("--policy", help="kind, or kind:name=value,name=value; once for each policy"),
]
Replications = Annotated[int | None, typer.Option(help="Number of replications")]
Seed = Annotated[int | None, typer.Option(help="Seed of all random numbers")]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Any field of the API's request: name=value, the value in JSON; a.b=value inside one"
    ),
]
RequestFile = Annotated[
    Path | None, typer.Option("--request", help="A request of the API in JSON; options override it")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the whole result as JSON instead of a table")]
CsvFile = Annotated[Path | None, typer.Option("--csv", help="Write the summary to a CSV file")]
CurveFile = Annotated[Path | None, typer.Option("--curve", help="Write the score over time to a CSV file")]
PngFile = Annotated[
    Path | None, typer.Option("--png", help="Write a chart of the score over time to a PNG file")
]


@simulate.command()
def email(
    policy: Policies = None,
    emails: Annotated[int | None, typer.Option(help="E-mails per replication")] = None,
    rates: Annotated[str | None, typer.Option(help="True conversion rates: 0.02,0.03")] = None,
    cadence: Annotated[str | None, typer.Option(help="per_email or daily")] = None,
    days: Annotated[int | None, typer.Option(help="Days over which the e-mails are sent")] = None,
    delay: Annotated[
        str | None,
        typer.Option(
            help="Until a conversion comes: e-mails, or days of daily cadence; or geometric:mean=7,at_once=0.2"
        ),
    ] = None,
    replications: Replications = None,
    seed: Seed = None,
    set_: Sets = None,
    request: RequestFile = None,
    as_json: AsJson = False,
    csv: CsvFile = None,
    curve: CurveFile = None,
    png: PngFile = None,
) -> None:
    """Play an e-mail campaign: which subject line converts best."""
    from app.services.simulations.policy_choices import from_text, value_of

    chosen = {
        "emails": emails,
        "rates": None if rates is None else [value_of(rate) for rate in rates.split(",")],
        "cadence": cadence,
        "days": days,
        "delay": int(delay) if delay and delay.isdecimal() else delay and from_text(delay, "delay"),
        "replications": replications,
        "seed": seed,
    }
    asked = build_request(request, policy, set_, chosen)
    _play("email", asked, Output(as_json, csv, curve, png))


@simulate.command()
def clv(
    policy: Policies = None,
    days: Annotated[int | None, typer.Option(help="Days played")] = None,
    customers: Annotated[int | None, typer.Option(help="Number of customers")] = None,
    quota: Annotated[int | None, typer.Option(help="Contacts per day")] = None,
    replications: Replications = None,
    seed: Seed = None,
    set_: Sets = None,
    request: RequestFile = None,
    as_json: AsJson = False,
    csv: CsvFile = None,
    curve: CurveFile = None,
    png: PngFile = None,
) -> None:
    """Play a telco's year: which customer is called or mailed with which offer."""
    chosen = {
        "days": days,
        "customers": customers,
        "quota": quota,
        "replications": replications,
        "seed": seed,
    }
    asked = build_request(request, policy, set_, chosen)
    _play("clv", asked, Output(as_json, csv, curve, png))


@simulate.command()
def replay(
    log: Annotated[Path, typer.Argument(help="CSV or NDJSON (.ndjson, .jsonl), also gzipped (.gz)")],
    policy: Policies = None,
    arm: Annotated[list[str] | None, typer.Option(help="The arms in their order; once for each arm")] = None,
    by_value: Annotated[bool, typer.Option(help="Use the column value instead of reward")] = False,
    passes: Annotated[int, typer.Option(min=1, help="Passes over the log of policies that learn")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Seed of policies that learn")] = 1,
    as_json: AsJson = False,
    csv: CsvFile = None,
) -> None:
    """Evaluate policies with a log of real decisions (columns arm, propensity, reward and optionally value)."""
    from app.services.simulations.policy_choices import from_text

    name = log.name.removesuffix(".gz")
    asked = {
        "text": _text_of(log),
        "form": "ndjson" if name.endswith((".ndjson", ".jsonl")) else "csv",
        "policies": [from_text(text) for text in policy or ()],
        "arms": arm,
        "by_value": by_value,
        "passes": passes,
        "seed": seed,
    }
    _play("replay", asked, Output(as_json, csv))


def _text_of(log: Path) -> str:
    try:
        content = log.read_bytes()
        return (gzip.decompress(content) if log.suffix == ".gz" else content).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise Invalid(f"{log} cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Output:
    """How a result is printed, and the files it is written to."""

    as_json: bool
    csv: Path | None = None
    curve: Path | None = None
    png: Path | None = None


def _play(scenario: str, asked: Mapping[str, Any], output: Output) -> None:
    from app.bandits.policies import plugins
    from app.services.simulations import result_tables, scenarios

    plugins.load_plugins()
    prepared = scenarios.prepare(scenario, asked)
    chart = None if output.png is None else _chart()
    for file in filter(None, (output.csv, output.curve, output.png)):
        _write(file, b"")  # fails now, not after the work
    with _bar() as bar:
        task = bar.add_task(scenario, total=None)
        result = prepared.play(lambda done, total: bar.update(task, completed=done, total=total))
    if output.csv is not None:
        _write(output.csv, result_tables.as_csv(result_tables.summary(scenario, result)).encode())
    if output.curve is not None:
        _write(output.curve, result_tables.as_csv(result_tables.curve(scenario, result)).encode())
    if output.png is not None and chart is not None:
        _write(output.png, chart(scenario, result))
    if output.as_json:
        json.dump(
            {"scenario": scenario, "request": prepared.request, **result}, sys.stdout, ensure_ascii=False
        )
        sys.stdout.write("\n")
    else:
        Console().print(TABLES[scenario](result))


def _chart() -> Callable[[str, Mapping[str, Any]], bytes]:
    try:
        from app.services.simulations.chart import png
    except ImportError as error:  # there is no build for musl
        raise Invalid("--png needs vl-convert-python, which is not installed here") from error
    return png


def _bar() -> Progress:
    """Return a progress bar on standard error, shown only on a terminal."""
    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Invalid(f"{file} cannot be written: {error.strerror}") from error
