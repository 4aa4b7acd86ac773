import math
import threading

import psycopg
import pytest

from tests.support.experiments import allocation, gate
from tests.support.totals import post, total


def test_the_answer_begins_with_what_people_come_for(client):
    post(client, total())
    body = client.get("/allocations/homepage?for_date=2026-03-02").text
    assert body.startswith(
        '{"experiment_id": "homepage", "date": "2026-03-02", "allocations": {"control": 100.0}'
    )


def test_the_better_variant_gets_more_traffic_the_next_day(client):
    post(client, total(successes=120), total("bold", successes=150))
    shares = allocation(client, "2026-03-02")["allocations"]
    assert shares["bold"] > 90 > 10 > shares["control"]
    assert sum(round(share * 10_000) for share in shares.values()) == 1_000_000


def test_shares_are_the_exact_probabilities_of_being_best(client):
    """Beta(2, 1) against Beta(1, 2): 5/6, in closed form."""
    post(client, total(impressions=1, successes=1), total("bold", impressions=1, successes=0))
    body = allocation(client, "2026-03-02")
    assert body["allocations"] == {"control": 83.3333, "bold": 16.6667}
    assert body["variants"][0]["p_best"] == round(5 / 6, 10)
    assert body["variants"][0]["mean"] == round(2 / 3, 10)
    assert body["variants"][0]["interval_95"] == [round(math.sqrt(0.025), 10), round(math.sqrt(0.975), 10)]


def test_rows_dated_on_or_after_the_date_change_nothing(client):
    post(client, total(), total("bold", successes=150))
    before = client.get("/allocations/homepage?for_date=2026-03-02")
    post(client, total(date="2026-03-02", successes=1000), total("bold", date="2026-03-05", successes=0))
    post(client, total("new", date="2026-03-02"), total("newer", date="2026-03-04"))
    after = client.get("/allocations/homepage?for_date=2026-03-02")
    assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])


def test_a_variant_known_from_yesterdays_rows_takes_part_today(client):
    post(client, total(), total("new", date="2026-03-04"))
    assert list(allocation(client, "2026-03-04")["allocations"]) == ["control"]
    assert list(allocation(client, "2026-03-05")["allocations"]) == ["control", "new"]


def test_the_first_day_of_all_is_shared_equally(client):
    post(client, total(), total("bold"))
    body = allocation(client, "2026-03-01")
    assert (body["allocations"], gate(body)) == ({"control": 50.0, "bold": 50.0}, ["no_data"])


def test_before_anything_was_active_there_is_nothing_to_allocate(client):
    post(client, total())
    assert client.get("/allocations/homepage?for_date=2026-02-28").status_code == 409


def test_a_new_variant_stays_out_of_p_best_until_it_has_a_day_of_data(client):
    """Under Beta(1, 1) it would take 97 % beside a 3 % arm."""
    post(client, total(date="2026-03-09", impressions=10_000, successes=300))
    client.post("/experiments/homepage/variants", json={"variant_id": "misspelt"})
    body = allocation(client)
    assert (body["allocations"], gate(body)) == ({"control": 50.0, "misspelt": 50.0}, ["burn_in"])
    assert body["gates"][0]["variants"] == {"misspelt": {"days": 0, "impressions": 0, "successes": 0}}
    assert body["variants"][1]["p_best"] is None


def test_the_burn_in_share_is_a_setting(client):
    post(client, total(), total("bold", successes=150))
    client.patch("/experiments/homepage", json={"burn_in": {"share": 4}})
    client.post("/experiments/homepage/variants", json={"variant_id": "new"})
    shares = allocation(client)["allocations"]
    assert shares["new"] == 4.0
    assert shares["control"] + shares["bold"] == pytest.approx(96, abs=1e-9)


def test_a_floor_holds_exactly(client):
    post(client, total(successes=10), total("bold", successes=150))
    client.patch("/experiments/homepage", json={"min_share": 7.5})
    assert allocation(client)["allocations"] == {"control": 7.5, "bold": 92.5}


def test_a_prior_counts_as_data(client):
    """With Beta(2, 1) before one failure each the posteriors are equal, and so are the shares."""
    client.post("/experiments", json={"experiment_id": "homepage", "prior": {"a": 2, "b": 1}})
    post(client, total(impressions=1, successes=0), total("bold", impressions=1, successes=0))
    body = allocation(client)
    assert body["allocations"] == {"control": 50.0, "bold": 50.0}
    assert body["variants"][0]["mean"] == pytest.approx(2 / 4)


def test_todays_answer_is_recorded_and_asking_again_records_nothing(client):
    post(client, total())
    first, again = (client.get("/allocations/homepage") for _ in range(2))
    assert first.json()["recorded"] is True
    assert first.content == again.content
    assert len(client.get("/allocations/homepage/history").json()["items"]) == 1


def test_a_correction_of_yesterday_gives_today_a_new_revision(client):
    post(client, total(date="2026-03-09"), total("bold", date="2026-03-09"))
    before = allocation(client)
    post(client, total(date="2026-03-09", successes=90))
    after = allocation(client)
    history = client.get("/allocations/homepage/history").json()["items"]
    assert before["revision"] != after["revision"]
    assert [item["revision"] for item in history] == [after["revision"], before["revision"]]
    assert history[1]["allocations"] == before["allocations"] == {"control": 50.0, "bold": 50.0}


def test_a_correction_taken_back_is_in_force_again(client, clock):
    post(client, total(date="2026-03-09"), total("bold", date="2026-03-09", successes=150))
    first = allocation(client)["revision"]
    post(client, total(date="2026-03-09", successes=500))
    second = allocation(client)["revision"]
    post(client, total(date="2026-03-09"))
    assert allocation(client)["revision"] == first != second
    clock.pass_days(1)
    assert allocation(client, "2026-03-10")["revision"] == first


def test_a_past_date_is_answered_as_it_was_last_in_force(client, clock):
    post(client, total(date="2026-03-09"), total("bold", date="2026-03-09"))
    served = client.get("/allocations/homepage").content
    clock.pass_days(1)
    post(client, total(date="2026-03-09", successes=999))
    assert client.get("/allocations/homepage?for_date=2026-03-10").content == served


def test_as_of_now_recomputes_a_past_date_and_records_nothing(client, clock):
    post(client, total(date="2026-03-09"), total("bold", date="2026-03-09"))
    allocation(client)
    clock.pass_days(1)
    post(client, total(date="2026-03-09", successes=999, as_of="2026-03-09"))
    body = allocation(client, "2026-03-10", as_of="now")
    assert (body["allocations"]["control"], body["recorded"]) == (100.0, False)
    assert len(client.get("/allocations/homepage/history").json()["items"]) == 1


def test_an_older_revision_can_be_read(client):
    post(client, total(date="2026-03-09"))
    first = allocation(client)
    post(client, total(date="2026-03-09", successes=1))
    allocation(client)
    assert allocation(client, "2026-03-10", revision=first["revision"]) == first
    assert client.get("/allocations/homepage?for_date=2026-03-10&revision=" + "0" * 16).status_code == 404


def test_a_back_filled_past_date_is_computed_and_not_recorded(client):
    post(client, total(date="2023-07-15") | {"experiment_id": "homepage"})
    assert allocation(client, "2023-07-16")["recorded"] is False
    assert client.get("/allocations/homepage/history").json()["items"] == []


def test_an_identical_repost_does_not_even_change_the_revision(client):
    post(client, total(date="2026-03-09"))
    before = client.get("/allocations/homepage")
    post(client, total(date="2026-03-09"))
    after = client.get("/allocations/homepage")
    assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])


def test_an_etag_saves_the_body(client):
    post(client, total())
    etag = client.get("/allocations/homepage").headers["ETag"]
    same = client.get("/allocations/homepage", headers={"If-None-Match": f'"other", {etag}'})
    other = client.get("/allocations/homepage", headers={"If-None-Match": '"other"'})
    assert (same.status_code, same.content, other.status_code) == (304, b"", 200)


def test_the_day_after_tomorrow_cannot_be_asked_yet(client):
    post(client, total())
    assert client.get("/allocations/homepage?for_date=2026-03-11").status_code == 200
    assert client.get("/allocations/homepage?for_date=2026-03-12").status_code == 422


def test_today_is_the_experiments_own_day(client, clock):
    client.post("/experiments", json={"experiment_id": "homepage", "time_zone": "Pacific/Kiritimati"})
    post(client, total(date="2026-03-01"))
    assert clock.now.isoformat() == "2026-03-10T12:00:00+00:00"
    assert allocation(client)["date"] == "2026-03-11"


def test_a_pause_holds_the_shares_of_the_day_it_begins(client, clock):
    post(client, total(date="2026-03-09"), total("bold", date="2026-03-09", successes=130))
    held = allocation(client)["allocations"]
    client.patch("/experiments/homepage", json={"state": "paused"})
    post(client, total(date="2026-03-10", successes=500))
    clock.pass_days(3)
    body = allocation(client)
    assert body["allocations"] == held
    assert body["gates"] == [{"gate": "paused", "since": "2026-03-10"}]


def test_archiving_a_paused_experiment_keeps_the_same_shares(client, clock):
    post(client, total(date="2026-03-09"), total("bold", date="2026-03-09", successes=130))
    client.patch("/experiments/homepage", json={"state": "paused"})
    held = allocation(client)["allocations"]
    clock.pass_days(1)
    client.patch("/experiments/homepage", json={"state": "archived"})
    post(client, total(date="2026-03-10", successes=500))
    clock.pass_days(1)
    body = allocation(client)
    assert (body["allocations"], gate(body)) == (held, ["archived"])


def test_resuming_uses_all_data_again(client, clock):
    post(client, total(date="2026-03-09"), total("bold", date="2026-03-09"))
    client.patch("/experiments/homepage", json={"state": "paused"})
    post(client, total(date="2026-03-10", successes=500), total("bold", date="2026-03-10"))
    clock.pass_days(2)
    client.patch("/experiments/homepage", json={"state": "running"})
    body = allocation(client)
    assert (body["allocations"]["control"], body["gates"]) == (100.0, [])


def test_settings_apply_from_the_day_they_were_changed(client, clock):
    post(client, total(date="2026-03-01", successes=10), total("bold", date="2026-03-01", successes=150))
    clock.pass_days(2)
    client.patch("/experiments/homepage", json={"min_share": 10})
    assert allocation(client, "2026-03-11")["allocations"]["control"] == 0.0
    assert allocation(client, "2026-03-12")["allocations"]["control"] == 10.0


def test_a_retired_variant_gets_nothing_from_its_day_on(client, clock):
    post(client, total(), total("bold"), total("loud", successes=10))
    client.patch("/experiments/homepage/variants/bold", json={"retired_on": "2026-03-11"})
    assert list(allocation(client, "2026-03-10")["allocations"]) == ["control", "bold", "loud"]
    assert list(allocation(client, "2026-03-11")["allocations"]) == ["control", "loud"]


def test_no_active_variant_is_a_conflict(client):
    client.post("/experiments", json={"experiment_id": "homepage"})
    assert client.get("/allocations/homepage").status_code == 409


def test_a_read_only_replica_computes_and_records_nothing(make_client):
    primary, replica = make_client(), make_client(read_only=True)
    post(primary, total())
    assert allocation(replica)["recorded"] is False
    assert primary.get("/allocations/homepage/history").json()["items"] == []


def test_a_read_only_replica_rejects_writes(make_client):
    answer = make_client(read_only=True).post("/metrics/", json=total())
    assert (answer.status_code, "write to the primary" in answer.text) == (503, True)


def test_another_process_sees_a_change_at_once(make_client):
    one, other = make_client(), make_client()
    post(one, total(), total("bold"))
    assert allocation(one)["allocations"] == allocation(other)["allocations"]
    post(one, total(successes=900))
    assert allocation(other)["allocations"]["control"] == 100.0


def test_history_pages_follow_each_other(client, clock):
    for day in range(5):
        post(client, total(date=f"2026-03-0{day + 1}"))
        allocation(client)
        clock.pass_days(1)
    page = client.get("/allocations/homepage/history?limit=3").json()
    rest = client.get(f"/allocations/homepage/history?limit=3&cursor={page['next_cursor']}").json()
    dates = [item["date"] for item in page["items"] + rest["items"]]
    assert (dates, rest["next_cursor"]) == ([f"2026-03-{day}" for day in (14, 13, 12, 11, 10)], None)


def test_many_who_ask_after_a_change_wait_for_one_computation_with_one_connection(make_client, database_url):
    client = make_client(pool_size=2)
    post(client, total(), total("bold", successes=150), total(experiment_id="other"))
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.get("/allocations/homepage")))
        for _ in range(20)
    ]
    with psycopg.connect(database_url) as writer:
        writer.execute("select from experiment_versions where experiment_id = 'homepage' for update")
        for thread in threads:
            thread.start()
        assert client.get("/allocations/other").status_code == 200
        assert not answers
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
