"""The loop closed over HTTP: assign, event, totals, allocation, assign."""

from collections import Counter

import numpy as np

RATES = {"control": 0.10, "bold": 0.13}
DAYS, UNITS_A_DAY = 5, 2_000
EXPERIMENT = {
    "experiment_id": "homepage",
    "source": "tracked",
    "variants": [{"variant_id": name} for name in RATES],
}


def test_ten_thousand_units_teach_each_days_shares_to_the_next(client, clock):
    post(client, "/experiments", EXPERIMENT)
    chance = np.random.default_rng(1)
    served, sent = {}, {}
    for day in range(DAYS):
        date = clock().date().isoformat()
        served[date] = client.get("/allocations/homepage").json()
        units = assigned(client, day)
        converted = [unit for unit, its in units.items() if chance.random() < RATES[its["variant_id"]]]
        send(client, units, "exposure")
        send(client, converted, "conversion")
        sent |= totals_of(units, converted, date)
        check_drawn_with(served[date], units)
        assert (
            client.get("/allocations/homepage").json() == served[date]
        )  # the day's own events change nothing
        clock.pass_days(1)
    check_stored(client, sent)
    check_served_alike_when_reported(client, sent, served)
    shown = [sent["bold", date][0] / UNITS_A_DAY for date in served]
    assert shown[0] < 0.55
    assert min(shown[2:]) > 0.8


def post(client, path, body):
    answer = client.post(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def assigned(client, day):
    """Assign a day's new units; return what each was answered."""
    units = [{"experiment_id": "homepage", "unit_id": f"{day}-{i}"} for i in range(UNITS_A_DAY)]
    halves = units[:1_000], units[1_000:]
    answers = [its for half in halves for its in post(client, "/assignments", half)]
    assert all(its["new"] for its in answers)
    return {its["unit_id"]: its for its in answers}


def send(client, units, kind):
    events = [
        {"experiment_id": "homepage", "unit_id": unit, "event_id": f"{unit}-{kind}", "type": kind}
        for unit in units
    ]
    assert post(client, "/events", events)["counted"] == len(events)


def totals_of(units, converted, date):
    """What a day's totals must be, by variant and day: impressions and successes."""
    shown = Counter(its["variant_id"] for its in units.values())
    successes = Counter(units[unit]["variant_id"] for unit in converted)
    return {(name, date): (shown[name], successes[name]) for name in RATES}


def check_drawn_with(served, units):
    """Every unit's propensity is its variant's share of the day, to the last digit."""
    for its in units.values():
        assert its["propensity"] == served["allocations"][its["variant_id"]] / 100
        assert its["revision"] == served["revision"]


def check_stored(client, sent):
    items = client.get("/metrics/homepage").json()["items"]
    stored = {(its["variant_id"], its["date"]): (its["impressions"], its["successes"]) for its in items}
    assert stored == {place: figures for place, figures in sent.items() if figures[0]}


def check_served_alike_when_reported(client, sent, served):
    """The same totals, reported instead, give the same shares: each day is decided by the days before it."""
    for (name, date), (shown, successes) in sent.items():
        total = {"experiment_id": "reported", "variant_id": name, "date": date}
        post(client, "/metrics/", total | {"impressions": shown, "successes": successes})
    for date in list(served)[1:]:
        again = client.get(f"/allocations/reported?for_date={date}").json()
        assert again["allocations"] == served[date]["allocations"]
