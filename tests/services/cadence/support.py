"""Units of an hourly experiment: assigned, exposed and converted through the API."""

from tests.support.fixtures.events import create, event, send


def hourly(client, **settings):
    create(client, cadence="hour", **settings)


def assign(client, n, prefix="u"):
    """Assign units; return them by variant."""
    body = [{"experiment_id": "e", "unit_id": f"{prefix}{i}"} for i in range(n)]
    units = {"a": [], "b": []}
    for item in client.post("/assignments", json=body).json():
        units[item["variant_id"]].append(item["unit_id"])
    return units


def show(client, n, prefix="u"):
    """Assign and expose units; return them by variant."""
    units = assign(client, n, prefix)
    send(client, *[event(unit, "exposure") for unit in units["a"] + units["b"]])
    return units


def convert(client, units, **query):
    events = [event(unit, "conversion") for unit in units]
    assert client.post("/events", json=events, params=query).json()["counted"] == len(units)


def answer(client, **query):
    response = client.get("/allocations/e", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def counted(body):
    return [(variant["impressions"], variant["successes"]) for variant in body["variants"]]


def impressions(body):
    return sum(n for n, _ in counted(body))
