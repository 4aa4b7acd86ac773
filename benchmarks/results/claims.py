"""The claims this project inherited, each beside what was measured."""

from benchmarks.results.decisions import classical, reached
from benchmarks.results.measured import OTHER_WORLDS, Measured
from benchmarks.results.subjects import conversions, lift
from benchmarks.results.telco import RACERS, against, place
from benchmarks.results.text import percent, table

CLAIMS = (
    "20-30 % more conversions",
    "15-30 % CTR lift",
    "3x faster decisions",
    "+22 % revenue",
    "-40 % cost",
)


def claims(measured: Measured) -> str:
    """Each inherited claim beside what was measured."""
    daily = {one.contestant.kind: one for one in measured.races["daily"].policies}
    best, plain = daily["thompson"], daily["epsilon_greedy"]
    close, equal = (measured.others[name].policies[0] for name in list(OTHER_WORLDS)[::2])
    conversion = (
        f"e-mail preset, daily: Thompson {percent(lift(best))}, epsilon-greedy {percent(lift(plain))}; "
        f"rates of 2-3 %: {percent(lift(close))}; equal rates: {percent(lift(equal))}"
    )
    needed, when = classical(measured), reached(measured.decisions["daily"].policies[-1])
    split = reached(measured.decisions["per_email"].even_split)
    faster = (
        f"e-mail preset, Thompson daily: {when.times_faster(needed)} times; "
        f"an even split stopped by the same rule: {split.times_faster(needed)} times"
    )
    groundhogs = ("bayesian_groundhog", "contextual_groundhog")
    revenue = "; ".join(
        f"{RACERS[kind].split()[0]} {against(measured, kind, 'segment_junglefowl')} times the marketing department"
        for kind in groundhogs
    )
    random_cost = measured.telco.booked[place(measured, "random_crayfish")].cost
    contacts = "; ".join(
        f"{RACERS[kind].split()[0]} {percent(measured.telco.booked[place(measured, kind)].cost / random_cost - 1)}"
        for kind in groundhogs
    )
    cost_each = percent(best.even.won.sum(axis=0) / conversions(best) - 1)
    return table(
        ("Claim (no code behind it)", "Measured, and where"),
        [
            (CLAIMS[0], conversion),
            (
                CLAIMS[1],
                "the same values: the e-mail world has one response per e-mail, and no clicks beside it",
            ),
            (CLAIMS[2], faster),
            (
                CLAIMS[3],
                f"e-mail, every conversion worth the same: {percent(lift(best))}. Telco, delta CLV: {revenue}",
            ),
            (
                CLAIMS[4],
                f"e-mail, cost per conversion, Thompson daily: {cost_each}, the campaign's cost unchanged. "
                f"Telco, cost of contacts against random: {contacts}",
            ),
        ],
    )
