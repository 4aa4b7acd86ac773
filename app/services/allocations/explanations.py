"""An allocation in words: one sentence per point, for people who ask why."""

from collections.abc import Callable
from typing import Any

from app.services.allocations.decision_inputs import DecisionInputs


def explain(found: DecisionInputs, body: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    """Return what data were used, which gates hold and why, and what moved since the last recorded answer."""
    return [_data(found), *_weights(found), *map(_gate, body["gates"]), *_moved(body, before), *_advice(body)]


def _data(found: DecisionInputs) -> str:
    if found.data_through is None:
        return f"No data dated {found.last} or earlier were there to use."
    impressions, successes = float(found.used.trials.sum()), float(found.used.successes.sum())
    return (
        f"Used {_count(impressions)} impressions and {_count(successes)} successes up to {found.data_through};"
        f" nothing dated {found.decided_on} or later."
    )


def _weights(found: DecisionInputs) -> list[str]:
    chosen, said = found.settings, []
    if chosen.window_days is not None:
        said.append(f"Only the last {chosen.window_days} days count (window_days).")
    if chosen.half_life_days is not None:
        said.append(f"A day's weight halves every {chosen.half_life_days:g} days (half_life_days).")
    if chosen.maturity_days:
        said.append(f"The last {chosen.maturity_days} days are left out as unripe (maturity_days).")
    if chosen.adjust == "day":
        said.append("Good and bad days are divided out: impressions are those of average days (adjust).")
    if chosen.objective == "value" and found.used.value_sq is None and not found.days_without_revenue:
        said.append(
            "Without revenue_sq a success's mean value is taken as known: the probabilities are overconfident."
        )
    return said


def _gate(gate: dict[str, Any]) -> str:
    return GATE_SENTENCES[gate["gate"]](gate)


def _names(gate: dict[str, Any]) -> str:
    return ", ".join(gate["variants"])


GATE_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "archived": lambda g: f"Archived since {g['since']}: the shares are those of the day it stopped.",
    "paused": lambda g: f"Paused since {g['since']}: the shares are those of that day.",
    "rollout": lambda g: f"Rolled out: {g['variant_id']} gets everything until that is undone.",
    "no_data": lambda _: "Nobody has any data yet: equal shares, floors and fixed shares honoured.",
    "no_revenue": lambda g: (
        f"Revenue is missing on days with successes of {', '.join(g['days_without'])}: equal shares until it is"
        " reported, because the objective is value."
    ),
    "burn_in": lambda g: f"In burn-in, with less data than asked: {_names(g)}; the others share the rest.",
    "invalid_totals": lambda g: (
        f"More successes than impressions of {_names(g)}: the shares are "
        + (f"those of the data up to {g['possible_through']}." if g["possible_through"] else "equal.")
    ),
    "incomplete_day": lambda g: (
        f"{g['days']} day(s) left out because a variant with traffic had not reported: "
        + "; ".join(f"{date} lacks {', '.join(names)}" for date, names in list(g["missing"].items())[-3:])
        + "."
    ),
    "srm": lambda g: (
        (
            f"Impressions were not split as served on {g['days']} recorded day(s)"
            if "days" in g
            else "Units were not assigned with the shares they were drawn with"
        )
        + f" (p = {g['p_value']:.2g}): look for what loses or moves traffic; the shares are unchanged."
    ),
    "stale_data": lambda g: f"No data for {g['days_without_data']} days: the shares no longer learn.",
}


def _moved(body: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    """Return what moved since the answer recorded last, each with the change in the data beside it."""
    if before is None:
        return ["No earlier answer is recorded to compare with."]
    since = f"revision {before['revision']} for {before['date']}"
    old = {variant["variant_id"]: variant for variant in before["variants"]}
    new = {variant["variant_id"]: variant for variant in body["variants"]}
    if body["revision"] == before["revision"]:
        return [f"Nothing that decides changed since {since}."]
    said = [_describe_change(old.get(name), variant) for name, variant in new.items()]
    said += [f"{name} takes no part any more." for name in old if name not in new]
    said += _changed_rules(body, before)
    moved = [sentence for sentence in said if sentence is not None]
    return [f"Compared with {since}:", *moved] if moved else [f"No share moved since {since}."]


def _changed_rules(body: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Return which settings and gates differ from the answer before."""
    named = {name: (before.get(name), body[name]) for name in ("policy", "objective")}
    old, new = before.get("settings", {}), body["settings"]
    named |= {name: (old.get(name, "default"), new.get(name, "default")) for name in sorted({*old, *new})}
    said = [f"{name} was changed from {was} to {now}." for name, (was, now) in named.items() if was != now]
    held = {gate["gate"] for gate in before["gates"]}
    holds = {gate["gate"] for gate in body["gates"]}
    said += [f"The gate {gate} holds since." for gate in sorted(holds - held)]
    return said + [f"The gate {gate} no longer holds." for gate in sorted(held - holds)]


def _describe_change(old: dict[str, Any] | None, new: dict[str, Any]) -> str | None:
    name = new["variant_id"]
    if old is None:
        return f"{name} is new, with {new['share']:g} %."
    changes = [
        f"{_signed(new[figure] - old[figure])} {figure}"
        for figure in ("impressions", "successes")
        if new[figure] != old[figure]
    ]
    by = f" ({', '.join(changes)})" if changes else " (its own data are unchanged)"
    if new["share"] == old["share"]:
        return None if not changes else f"{name} keeps {new['share']:g} %{by}."
    return f"{name} went from {old['share']:g} to {new['share']:g} %{by}."


def _advice(body: dict[str, Any]) -> list[str]:
    advice = body["stop_advice"]
    if advice is None:
        return []
    limit = f"its limit {advice['threshold']:g}"
    said = f"{advice['rule']} of {advice['variant_id']} is {advice['figure']:.4g}, {limit}"
    if advice["stop"]:
        return [f"Advice: stop and keep {advice['variant_id']}; {said}."]
    if advice["days"] < advice["minimum_days"]:
        return [f"Advice: go on; {advice['days']} of at least {advice['minimum_days']} days are in ({said})."]
    return [f"Advice: go on; {said}."]


def _count(figure: float) -> str:
    return f"{figure:,.0f}" if figure.is_integer() else f"{figure:,.1f}"


def _signed(figure: float) -> str:
    return f"{figure:+,.0f}" if float(figure).is_integer() else f"{figure:+,.1f}"
