"""The results of a simulation as tables on the terminal."""

from collections.abc import Callable, Mapping
from typing import Any

from rich import box
from rich.table import Table


def _email_table(result: Mapping[str, Any]) -> Table:
    from app.services.simulations.result_tables import competitors, names

    table = _new_table("policy", "conversions", "lift", "regret", "best", "sure", "day")
    everyone = competitors("email", result)
    for name, played in zip(names(everyone), everyone, strict=True):
        lift, decision, share = played["lift"], played["decision"], played["top_arm_share"]
        table.add_row(
            _on_lines(name),
            _mean(played["conversions"], _form(played["conversions"])),
            "" if lift is None else _mean(lift, "+.1%"),
            f"{played['pseudo_regret']['mean']:{_form(played['pseudo_regret'])}}",
            "" if share is None else f"{share['mean']:.1%}",
            f"{decision['decided']:.0%}",
            "" if decision["median_day"] is None else f"{decision['median_day']:g}",
        )
    table.caption = (
        f"An oracle that knows the best subject gets {result['oracle_conversions']:,.1f} conversions.\n"
        "best: share of the best subject; sure: runs that reached P(best) >= 95 %, day: their median."
    )
    return table


def _clv_table(result: Mapping[str, Any]) -> Table:
    from app.services.simulations.result_tables import names

    table = _new_table("policy", "delta CLV, EUR", "x random", "contacts", "sales", "cost, EUR")
    for name, played in zip(names(result["policies"]), result["policies"], strict=True):
        ratio = played["ratio_to_random"]
        table.add_row(
            _on_lines(name),
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
            f"Exact expectations: uniform {known['uniform']:,.0f}, best single action {best['delta_clv']:,.0f}"
            f" ({best['arm']}), an oracle {known['oracle']:,.0f} EUR."
        )
    return table


def _replay_table(result: Mapping[str, Any]) -> Table:
    from app.services.simulations.result_tables import summary

    rows = summary("replay", result)
    replayed = any(row["rejection"] is not None for row in rows)
    table = _new_table("policy", "SNIPS", "doubly robust", "ESS", *(["rejection"] if replayed else []))
    for row in rows:
        means = [_with_error(row[way], row[f"{way}_se"]) for way in ("snips", "dr", "rejection")]
        size = "" if row["ess"] is None else f"{row['ess']:,.0f}"
        table.add_row(_on_lines(row["policy"]), *means[:2], size, *means[2 : 2 + replayed])
    warnings = [f"{row['policy']}: {row['warnings']}" for row in rows if row["warnings"]]
    table.caption = "\n".join(["Means per decision ± standard error.", *warnings])
    return table


def _with_error(mean: float | None, error: float | None) -> str:
    if mean is None:
        return ""
    return f"{mean:.5f}" if error is None else f"{mean:.5f} ± {error:.5f}"


def _new_table(first: str, *others: str) -> Table:
    """Return a table that fits 80 columns: the numbers whole, the names folded where they must be."""
    table = Table(
        caption_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False
    )
    table.add_column(first, min_width=10, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _on_lines(name: str) -> str:
    """Return a policy's name with its parameters, if it has any there, on the next line."""
    return name.replace(" (", "\n(", 1)


def _form(metric: Mapping[str, Any]) -> str:
    """Return how a count's mean is written: a decimal only where it can matter."""
    return ",.1f" if metric["mean"] < 1_000 else ",.0f"


def _mean(metric: Mapping[str, Any], form: str) -> str:
    """Return a mean, and half of its 95 % interval."""
    interval = metric["interval_95"]
    error = "" if interval is None else f" ± {(interval[1] - interval[0]) / 2:{form.lstrip('+')}}"
    return f"{metric['mean']:{form}}{error}"


TABLES: dict[str, Callable[[Mapping[str, Any]], Table]] = {
    "email": _email_table,
    "clv": _clv_table,
    "replay": _replay_table,
}
