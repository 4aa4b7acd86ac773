"""Results as tables, for CSV files and for the command line."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from app.errors import NotFound

Table = Literal["summary", "curve", "log"]
Row = dict[str, Any]


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows, which have the same keys, as CSV with a header."""
    text = io.StringIO()
    writer = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(text, list(row))
            writer.writeheader()
        writer.writerow(row)
    return text.getvalue()


def names(played: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the policies' display names: the kind, with its parameters where a kind plays more than once."""
    policies = [one["policy"] for one in played]
    kinds = [policy["kind"] for policy in policies]
    return [
        kind if kinds.count(kind) == 1 else _whole(policy)
        for kind, policy in zip(kinds, policies, strict=True)
    ]


def _whole(policy: Mapping[str, Any]) -> str:
    nested = policy.get("parameters")
    chosen = nested if isinstance(nested, dict) else {n: v for n, v in policy.items() if n != "kind"}
    named = ", ".join(f"{name} {_short(value)}" for name, value in chosen.items())
    return f"{policy['kind']} ({named})" if named else str(policy["kind"])


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "/".join(map(_short, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def summary(scenario: str, result: Mapping[str, Any]) -> list[Row]:
    """Return a row per policy, and for e-mails the even split first."""
    if scenario == "replay":
        return [
            _evaluated(name, one)
            for name, one in zip(names(result["policies"]), result["policies"], strict=True)
        ]
    rows: list[Row] = []
    everyone = competitors(scenario, result)
    for name, played in zip(names(everyone), everyone, strict=True):
        row: Row = {"policy": name}
        for metric in METRICS[scenario]:
            row |= _spread(metric, played.get(metric))
        rows.append(row)
    return rows


def curve(scenario: str, result: Mapping[str, Any]) -> list[Row]:
    """Return a row per policy and point in time: the mean score and the 2.5-97.5 % range of single replications.

    Raises
    ------
    NotFound: a replay has no points in time
    """
    if scenario == "replay":
        raise NotFound("a replay has no curve")
    axis, score = ("emails", "conversions") if scenario == "email" else ("day", "delta_clv")
    rows: list[Row] = []
    everyone = competitors(scenario, result)
    for name, played in zip(names(everyone), everyone, strict=True):
        for at, mean, low, high in line(scenario, result, played):
            rows.append({"policy": name, axis: at, score: mean, f"{score}_low": low, f"{score}_high": high})
    return rows


def line(
    scenario: str, result: Mapping[str, Any], played: Mapping[str, Any]
) -> Iterable[tuple[float, float, float, float]]:
    """Return a policy's score over time: point in time, mean, low, high."""
    if scenario == "email":
        over = played["over_time"]
        bands = (over["conversions"], over["conversions_low"], over["conversions_high"])
        return zip(result["emails_at"], *bands, strict=True)
    over = played["by_day"]
    return zip(range(1, len(over["mean"]) + 1), over["mean"], over["low"], over["high"], strict=True)


def competitors(scenario: str, result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all policies that played, and for e-mails the even split first."""
    return [*([result["even_split"]] if scenario == "email" else []), *result["policies"]]


def _evaluated(name: str, played: Mapping[str, Any]) -> Row:
    """Return the estimates of a policy: its mean by each estimator, with the standard error."""
    row: Row = {"policy": name}
    estimates = played["estimates"] or {}
    for estimator in ("ips", "snips", "dr"):
        found = estimates.get(estimator, {})
        row |= {estimator: found.get("mean"), f"{estimator}_se": found.get("standard_error")}
    row |= {"ess": estimates.get("ess"), "largest_weight": estimates.get("largest_weight")}
    replayed = played["rejection"] or {}
    row |= {"rejection": replayed.get("mean"), "rejection_se": replayed.get("standard_error")}
    return row | {"warnings": "; ".join(estimates.get("warnings", ()))}


def _spread(name: str, value: Any) -> dict[str, Any]:
    """Return the columns of a metric: its value, or mean, sd and the ends of its interval."""
    if not isinstance(value, dict):
        return {name: value}
    low, high = value.get("interval_95") or (None, None)
    return {name: value["mean"], f"{name}_sd": value.get("sd"), f"{name}_low": low, f"{name}_high": high}


METRICS = {
    "email": (
        "emails", "conversions", "rate", "lift", "pseudo_regret", "realised_regret", "top_arm_share",
        "value", "cost", "profit",
    ),
    "clv": ("delta_clv", "ratio_to_random", "contacts", "conversions", "cost"),
}  # fmt: skip

TABLES: dict[str, Callable[[str, Mapping[str, Any]], list[Row]]] = {"summary": summary, "curve": curve}
