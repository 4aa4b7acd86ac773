"""All pages one after the other, as one row of items."""

import itertools

import httpx2

HEAD = {"id": "s", "scenario": "email", "state": "done", "created_at": "2026-03-10T12:00:00Z"}
HEAD |= {"progress": {"done": 1, "total": 1}, "fault": None, "request": {}}


def pages(requests):
    def answer(request):
        requests.append(dict(request.url.params))
        number = int(request.url.params.get("cursor", 0))
        items = [HEAD | {"id": f"s{number + i}"} for i in range(2)]
        return httpx2.Response(
            200, json={"items": items, "next_cursor": str(number + 2) if number < 4 else None}
        )

    return answer


def test_every_item_of_every_page_comes_once_in_order(connect):
    requests = []
    found = list(connect(pages(requests)).each_simulation(limit=2))
    assert [one.id for one in found] == [f"s{i}" for i in range(6)]
    assert requests == [{"limit": "2"}, {"limit": "2", "cursor": "2"}, {"limit": "2", "cursor": "4"}]


def test_it_begins_where_a_page_left_off(connect):
    assert [one.id for one in connect(pages([])).each_simulation(cursor="4")] == ["s4", "s5"]


def test_a_page_nobody_looks_at_is_not_asked_for():
    from groundhog_client import Client

    requests = []
    client = Client("http://groundhog", http=httpx2.Client(transport=httpx2.MockTransport(pages(requests))))
    assert len(list(itertools.islice(client.each_simulation(), 2))) == 2
    assert len(requests) == 1
