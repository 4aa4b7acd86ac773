"""`groundhog simulate`: the simulator without a service and without a database."""

import gzip
import json
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.errors import Invalid

simulate = typer.Typer(
    name="simulate",
    help="Play policies in made-up worlds, or on a log of real decisions.",
    no_args_is_help=True,
)

Policies = Annotated[
    list[str] | None,
    typer.Option("--policy", help="kind, or kind:name=value,name=value; once for each policy"),
]
Replications = Annotated[int | None, typer.Option(help="How often everything is played")]
Seed = Annotated[int | None, typer.Option(help="Of everything random")]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Any field of the API's request: name=value, the value in JSON; a.b=value inside one"
    ),
]
RequestFile = Annotated[
    Path | None, typer.Option("--request", help="A request of the API in JSON; options come before it")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the whole result as JSON instead of a table")]
CsvFile = Annotated[Path | None, typer.Option("--csv", help="Write the summary to a CSV file")]
CurveFile = Annotated[Path | None, typer.Option("--curve", help="Write the score over time to a CSV file")]
PngFile = Annotated[Path | None, typer.Option("--png", help="Draw the score over time, with its range")]


@simulate.command()
def email(
    policy: Policies = None,
    emails: Annotated[int | None, typer.Option(help="E-mails per replication")] = None,
    rates: Annotated[str | None, typer.Option(help="True conversion rates: 0.02,0.03")] = None,
    cadence: Annotated[str | None, typer.Option(help="per_email or daily")] = None,
    days: Annotated[int | None, typer.Option(help="Over which the e-mails are spread")] = None,
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
    from app.services.simulations.policy_choices import value_of

    asked = _asked(
        request,
        policy,
        set_,
        emails=emails,
        rates=None if rates is None else [value_of(rate) for rate in rates.split(",")],
        cadence=cadence,
        days=days,
        replications=replications,
        seed=seed,
    )
    _play("email", asked, as_json, csv, curve, png)


@simulate.command()
def clv(
    policy: Policies = None,
    days: Annotated[int | None, typer.Option(help="Days played")] = None,
    customers: Annotated[int | None, typer.Option(help="Size of the base")] = None,
    quota: Annotated[int | None, typer.Option(help="Contacts a day")] = None,
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
    asked = _asked(
        request,
        policy,
        set_,
        days=days,
        customers=customers,
        quota=quota,
        replications=replications,
        seed=seed,
    )
    _play("clv", asked, as_json, csv, curve, png)


@simulate.command()
def replay(
    log: Annotated[Path, typer.Argument(help="CSV or NDJSON (.ndjson, .jsonl), perhaps gzipped (.gz)")],
    policy: Policies = None,
    arm: Annotated[list[str] | None, typer.Option(help="The arms in their order, once for each")] = None,
    by_value: Annotated[bool, typer.Option(help="Judge by the column value instead of reward")] = False,
    passes: Annotated[int, typer.Option(min=1, help="Passes over the log of policies that learn")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of policies that learn")] = 1,
    as_json: AsJson = False,
    csv: CsvFile = None,
) -> None:
    """Judge policies by a log of real decisions (columns arm, propensity, reward and perhaps value)."""
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
    _play("replay", asked, as_json, csv, None, None)


def _text_of(log: Path) -> str:
    try:
        content = log.read_bytes()
        return (gzip.decompress(content) if log.suffix == ".gz" else content).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise Invalid(f"{log} cannot be read: {error}") from error


def _play(
    scenario: str,
    asked: Mapping[str, Any],
    as_json: bool,
    csv: Path | None,
    curve: Path | None,
    png: Path | None,
) -> None:
    from app.bandits.policies import plugins
    from app.services.simulations import result_tables, scenarios

    plugins.load_plugins()
    prepared = scenarios.prepare(scenario, asked)
    picture = None if png is None else _picture()
    for file in filter(None, (csv, curve, png)):
        _write(file, b"")  # better now than after the work
    with _bar() as bar:
        task = bar.add_task(scenario, total=None)
        result = prepared.play(lambda done, total: bar.update(task, completed=done, total=total))
    if csv is not None:
        _write(csv, result_tables.as_csv(result_tables.summary(scenario, result)).encode())
    if curve is not None:
        _write(curve, result_tables.as_csv(result_tables.curve(scenario, result)).encode())
    if png is not None and picture is not None:
        _write(png, picture(scenario, result))
    if as_json:
        json.dump(
            {"scenario": scenario, "request": prepared.request, **result}, sys.stdout, ensure_ascii=False
        )
        sys.stdout.write("\n")
    else:
        Console().print(TABLES[scenario](result))


def _picture() -> Callable[[str, Mapping[str, Any]], bytes]:
    try:
        from app.services.simulations.chart import png
    except ImportError as error:  # there is no build for musl
        raise Invalid("--png needs vl-convert-python, which is not installed here") from error
    return png


def _bar() -> Progress:
    """A progress bar on standard error, and only for a person."""
    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


def _asked(
    request: Path | None, policies: list[str] | None, sets: list[str] | None, **options: Any
) -> dict[str, Any]:
    """The request that a file and options make, the options first."""
    from app.services.simulations.policy_choices import from_text

    asked: dict[str, Any] = {} if request is None else _read(request)
    asked |= {name: value for name, value in options.items() if value is not None}
    if policies:
        asked["policies"] = [from_text(text) for text in policies]
    for text in sets or ():
        _set(asked, *_named(text, "--set"))
    return asked


def _read(file: Path) -> dict[str, Any]:
    try:
        asked = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid(f"{file} cannot be read: {error}") from error
    if not isinstance(asked, dict):
        raise Invalid(f"{file} should hold a JSON object")
    return asked


def _named(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Invalid(f"{option} {text}: write name=value")
    return name, value


def _set(asked: dict[str, Any], name: str, value: str) -> None:
    from app.services.simulations.policy_choices import value_of

    first, dot, rest = name.partition(".")
    if not dot:
        asked[name] = value_of(value)
        return
    inner = asked.setdefault(first, {})
    if not isinstance(inner, dict):
        raise Invalid(f"--set {name}: {first} holds no fields")
    _set(inner, rest, value)


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Invalid(f"{file} cannot be written: {error.strerror}") from error


def _email_table(result: Mapping[str, Any]) -> Table:
    from app.services.simulations.result_tables import competitors, names

    table = _table("policy", "conversions", "lift", "regret", "best", "sure", "day")
    everyone = competitors("email", result)
    for name, played in zip(names(everyone), everyone, strict=True):
        lift, decision, share = played["lift"], played["decision"], played["top_arm_share"]
        table.add_row(
            name,
            _mean(played["conversions"], ",.1f"),
            "" if lift is None else _mean(lift, "+.2%"),
            f"{played['pseudo_regret']['mean']:,.1f}",
            "" if share is None else f"{share['mean']:.1%}",
            f"{decision['decided']:.0%}",
            "" if decision["median_day"] is None else f"{decision['median_day']:g}",
        )
    table.caption = (
        f"Who knew the best subject would get {result['oracle_conversions']:,.1f} conversions.\n"
        "best: share of the best subject; sure: runs that reached P(best) >= 95 %, day: their median."
    )
    return table


def _clv_table(result: Mapping[str, Any]) -> Table:
    from app.services.simulations.result_tables import names

    table = _table("policy", "delta CLV, EUR", "x random", "contacts", "sales", "cost, EUR")
    for name, played in zip(names(result["policies"]), result["policies"], strict=True):
        ratio = played["ratio_to_random"]
        table.add_row(
            name,
            _mean(played["delta_clv"], ",.0f"),
            "" if ratio is None else f"{ratio['mean']:.2f}",
            f"{played['contacts']['mean']:,.0f}",
            f"{played['conversions']['mean']:,.1f}",
            f"{played['cost']['mean']:,.0f}",
        )
    known = result["enumeration"]
    if known is not None:
        best = known["best_single_action"]
        table.caption = (
            f"Exactly expected: uniform {known['uniform']:,.0f}, best single action {best['delta_clv']:,.0f}"
            f" ({best['arm']}), an oracle {known['oracle']:,.0f} EUR."
        )
    return table


def _replay_table(result: Mapping[str, Any]) -> Table:
    from app.services.simulations.result_tables import summary

    rows = summary("replay", result)
    replayed = any(row["rejection"] is not None for row in rows)
    table = _table("policy", "SNIPS", "doubly robust", "ESS", *(["rejection"] if replayed else []))
    for row in rows:
        means = [_with_error(row[way], row[f"{way}_se"]) for way in ("snips", "dr", "rejection")]
        size = "" if row["ess"] is None else f"{row['ess']:,.0f}"
        table.add_row(row["policy"], *means[:2], size, *means[2 : 2 + replayed])
    warned = [f"{row['policy']}: {row['warnings']}" for row in rows if row["warnings"]]
    table.caption = "\n".join(["Means per decision ± standard error.", *warned])
    return table


def _with_error(mean: float | None, error: float | None) -> str:
    if mean is None:
        return ""
    return f"{mean:.5f}" if error is None else f"{mean:.5f} ± {error:.5f}"


def _table(first: str, *others: str) -> Table:
    table = Table(caption_justify="left", box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    table.add_column(first, min_width=20, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _mean(figure: Mapping[str, Any], form: str) -> str:
    """A mean, and half of its 95 % interval."""
    interval = figure["interval_95"]
    give = "" if interval is None else f" ± {(interval[1] - interval[0]) / 2:{form.lstrip('+')}}"
    return f"{figure['mean']:{form}}{give}"


TABLES: dict[str, Callable[[Mapping[str, Any]], Table]] = {
    "email": _email_table,
    "clv": _clv_table,
    "replay": _replay_table,
}
