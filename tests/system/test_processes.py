"""Answers are the same from every worker and after a restart."""

import datetime as dt

from tests.support.service_process import get, post, running_service


def test_answers_are_byte_identical_across_two_workers_and_a_restart(database_url):
    yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    totals = [
        {"experiment_id": "e", "variant_id": v, "date": str(yesterday), "impressions": 997, "successes": s}
        for v, s in (("a", 101), ("b", 113), ("c", 97))
    ]
    path = f"/allocations/e?for_date={yesterday + dt.timedelta(days=1)}"
    with running_service(database_url, "--workers", "2") as service:
        post(f"{service.address}/metrics/", totals)
        answers = {get(service.address + path) for _ in range(40)}
    with running_service(database_url) as service:
        answers.add(get(service.address + path))
    assert len(answers) == 1
