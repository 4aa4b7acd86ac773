import threading

from tests.support.totals import stored, total


def test_a_total_is_stored_and_registers_its_experiment_and_variant(client):
    answer = client.post("/metrics/", json=total())
    assert (answer.status_code, answer.json()["inserted"]) == (200, 1)
    assert stored(client) == [("control", "2026-03-01", 1000, 120)]
    assert client.get("/experiments/homepage").json()["variants"][0]["variant_id"] == "control"


def test_both_spellings_of_the_path_store(client):
    assert client.post("/metrics", json=total()).json()["inserted"] == 1
    assert client.post("/metrics/", json=total()).json()["unchanged"] == 1


def test_sending_a_day_again_replaces_it(client):
    client.post("/metrics/", json=total())
    answer = client.post("/metrics/", json=total(successes=121)).json()
    assert answer == {"received": 1, "inserted": 0, "updated": 1, "unchanged": 0, "registered": []}
    assert stored(client) == [("control", "2026-03-01", 1000, 121)]


def test_an_array_is_stored_whole_or_not_at_all(client):
    answer = client.post("/metrics/", json=[total(), total("bold", successes=2000)])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.1.successes"
    assert client.get("/metrics/homepage").status_code == 404


def test_two_experiments_may_both_have_a_control(client):
    other = total() | {"experiment_id": "checkout", "successes": 7}
    client.post("/metrics/", json=[total(), other])
    assert stored(client) == [("control", "2026-03-01", 1000, 120)]
    assert client.get("/metrics/checkout").json()["items"][0]["successes"] == 7


def test_the_same_key_twice_in_an_array_is_rejected_and_both_are_named(client):
    answer = client.post("/metrics/", json=[total(), total("bold"), total(successes=1)])
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "body.2", "message": "the same experiment, variant and date as body.0; send each key once"}
    ]


def test_money_comes_back_as_it_was_sent(client):
    client.post("/metrics/", json=total(revenue=2889556.1865, revenue_sq=834953495611.1))
    item = client.get("/metrics/homepage").json()["items"][0]
    assert (item["revenue"], item["revenue_sq"]) == (2889556.1865, 834953495611.1)


def test_since_and_until_are_inclusive_and_pages_follow_each_other(client):
    client.post("/metrics/", json=[total(date=f"2026-03-0{day}") for day in range(1, 8)])
    page = client.get("/metrics/homepage?since=2026-03-02&until=2026-03-05&limit=3").json()
    assert [item["date"] for item in page["items"]] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    rest = client.get(
        f"/metrics/homepage?since=2026-03-02&until=2026-03-05&limit=3&cursor={page['next_cursor']}"
    ).json()
    assert ([item["date"] for item in rest["items"]], rest["next_cursor"]) == (["2026-03-05"], None)


def test_a_day_after_tomorrow_is_rejected_and_tomorrow_is_not(client):
    assert client.post("/metrics/", json=total(date="2026-03-11")).status_code == 200
    answer = client.post("/metrics/", json=total(date="2026-03-12"))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.date")


def test_totals_after_a_variants_retirement_are_rejected_and_those_up_to_it_are_not(client, clock):
    client.post("/metrics/", json=[total(), total("bold")])
    client.patch("/experiments/homepage/variants/bold", json={"retired_on": "2026-03-10"})
    clock.pass_days(2)
    assert client.post("/metrics/", json=total("bold", "2026-03-10")).status_code == 200
    answer = client.post("/metrics/", json=total("bold", "2026-03-11"))
    assert answer.status_code == 409
    assert "retired on 2026-03-10" in answer.json()["errors"][0]["message"]


def test_unknown_names_are_rejected_where_implicit_registration_is_off(make_client):
    client = make_client(auto_register=False)
    assert client.post("/metrics/", json=total()).status_code == 404
    client.post("/experiments", json={"experiment_id": "homepage", "variants": [{"variant_id": "control"}]})
    assert client.post("/metrics/", json=total()).status_code == 200
    assert client.post("/metrics/", json=total("contrl")).status_code == 404


def test_sixty_concurrent_posts_of_one_key_leave_one_row_and_no_error(client):
    statuses = []

    def post(successes):
        statuses.append(client.post("/metrics/", json=total(successes=successes)).status_code)

    threads = [threading.Thread(target=post, args=[successes]) for successes in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses, len(stored(client))) == ([200] * 60, 1)


def test_two_hundred_concurrent_requests_share_a_pool_of_two(make_client):
    client = make_client(pool_size=2)
    statuses = []

    def post_and_read(number):
        body = total(f"v{number % 5}", date=f"2026-03-{number % 9 + 1:02d}")
        statuses.append(client.post("/metrics/", json=body).status_code)
        statuses.append(client.get("/allocations/homepage?for_date=2026-03-10").status_code)

    threads = [threading.Thread(target=post_and_read, args=[number]) for number in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 400


def test_a_deleted_day_is_gone_and_deleting_it_again_finds_nothing(client):
    client.post("/metrics/", json=[total(), total(date="2026-03-02")])
    assert client.delete("/metrics/homepage/control/2026-03-01").status_code == 204
    assert client.delete("/metrics/homepage/control/2026-03-01").status_code == 404
    assert stored(client) == [("control", "2026-03-02", 1000, 120)]
