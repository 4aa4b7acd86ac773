"""What is sent again and what is not, how long it waits in between, and when it gives up."""

import asyncio
import time

import httpx2
import pytest

from client_testing.answers import EAGER, Written
from groundhog_client import (
    AsyncClient,
    Client,
    ConnectionLost,
    Invalid,
    NoAnswer,
    RetryPolicy,
    TooManyRequests,
    Unavailable,
    Unreachable,
)
from groundhog_client._operations.service import check_alive
from groundhog_client._protocol.call import Calls, Send, Wait
from groundhog_client._protocol.request import Answer

ALIVE = httpx2.Response(200, json={"status": "alive"})
STORED = {"received": 1, "inserted": 1, "updated": 0, "unchanged": 0}
TOTAL = {"experiment_id": "e", "variant_id": "v", "date": "2026-03-01", "impressions": 1, "successes": 0}


def away(retry_after="0"):
    body = {"title": "Service Unavailable", "status": 503, "detail": "the database is away"}
    return httpx2.Response(503, json=body, headers={"Retry-After": retry_after})


def test_a_write_is_sent_again_under_one_key_until_it_is_done(connect):
    written = Written(away(), httpx2.ReadError("cut"), httpx2.Response(200, json=STORED))
    assert connect(written).record_metrics(TOTAL).inserted == 1
    keys = written.header("Idempotency-Key")
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert len({request.content for request in written.requests}) == 1


def test_another_call_has_another_key_unless_it_is_given(connect):
    written = Written(*(httpx2.Response(200, json=STORED) for _ in range(4)))
    client = connect(written)
    client.record_metrics(TOTAL)
    client.record_metrics(TOTAL)
    client.record_metrics(TOTAL, idempotency_key="mine")
    client.record_metrics(TOTAL, idempotency_key="mine")
    first, second, *given = written.header("Idempotency-Key")
    assert first != second
    assert given == ["mine", "mine"]


@pytest.mark.parametrize("error", [httpx2.ReadError("cut"), httpx2.ReadTimeout("slow"), httpx2.Response(502)])
def test_what_may_have_been_done_and_has_no_key_is_not_sent_again(connect, error):
    written = Written(error)
    with pytest.raises((ConnectionLost, Unavailable)):
        connect(written).change_experiment("e", min_share=5)
    assert len(written.requests) == 1


@pytest.mark.parametrize("failure", [httpx2.ConnectError("refused"), away()])
def test_what_was_certainly_not_done_is_sent_again(connect, failure):
    written = Written(failure, httpx2.Response(204))
    connect(written).delete_variant("e", "v")
    assert len(written.requests) == 2


def test_what_the_caller_must_change_is_not_sent_again(connect):
    written = Written(
        httpx2.Response(422, json={"title": "Unprocessable Content", "detail": "no", "status": 422})
    )
    with pytest.raises(Invalid):
        connect(written).check_alive()
    assert len(written.requests) == 1


def test_it_gives_up_after_so_many_attempts_with_the_last_error(connect):
    written = Written(*(httpx2.ConnectError("refused") for _ in range(3)), away())
    retries = RetryPolicy(attempts=4, first_wait=0.0)
    with pytest.raises(Unavailable, match="the database is away"):
        connect(written, retries=retries).check_alive()
    assert len(written.requests) == 4


def test_waiting_longer_than_the_deadline_is_not_begun(connect):
    with pytest.raises(Unavailable) as error:
        connect(Written(away("3600"))).check_alive()
    assert error.value.retry_after == 3600


class Time:
    """A clock that only pauses and attempts move, and the steps that were taken."""

    def __init__(self, seconds_per_attempt=0.0):
        self.now, self.steps, self.per_attempt = 0.0, [], seconds_per_attempt

    def __call__(self):
        return self.now

    def play(self, retries, outcomes, chance=0.0):
        call = Calls(retries, clock=self, chance=lambda: chance).call(check_alive())
        step = next(call)
        while True:
            self.steps.append(step)
            self.now += step.seconds if isinstance(step, Wait) else self.per_attempt
            try:
                step = call.send(outcomes.pop(0) if isinstance(step, Send) else None)
            except StopIteration as end:
                return end.value

    def pauses(self):
        return [step.seconds for step in self.steps if isinstance(step, Wait)]


YES = Answer(200, {}, b'{"status": "alive"}')
NO = Unreachable("refused")


@pytest.mark.parametrize(("chance", "pauses"), [(0.0, [0.1, 0.2, 0.4, 0.5]), (1.0, [0.05, 0.1, 0.2, 0.25])])
def test_waits_double_up_to_the_longest_and_up_to_half_is_left_to_chance(chance, pauses):
    clock = Time()
    assert clock.play(RetryPolicy(longest_wait=0.5), [NO] * 4 + [YES], chance).status == "alive"
    assert clock.pauses() == pytest.approx(pauses)


def test_retry_after_is_waited_for_in_full():
    clock = Time()
    clock.play(RetryPolicy(), [Answer(429, {"retry-after": "7"}, b""), YES], chance=1.0)
    assert 7 <= clock.pauses()[0] < 8


def test_a_retry_after_that_is_no_number_of_seconds_is_ignored():
    clock = Time()
    clock.play(RetryPolicy(), [Answer(503, {"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}, b""), YES])
    assert clock.pauses() == [0.1]


def test_attempts_and_waits_stay_below_the_deadline_together():
    clock, retries = Time(seconds_per_attempt=4.0), RetryPolicy(timeout=20.0, deadline=10.0, attempts=100)
    with pytest.raises(NoAnswer):
        clock.play(retries, [NO] * 100)
    assert clock.now <= 10 + 4
    attempts = [step.seconds for step in clock.steps if isinstance(step, Send)]
    assert attempts == pytest.approx([10.0, 5.9, 1.7])


def test_too_many_requests_is_raised_when_the_attempts_are_used_up():
    clock = Time()
    with pytest.raises(TooManyRequests):
        clock.play(EAGER, [Answer(429, {"retry-after": "1"}, b"")] * 5)


def test_an_answer_that_drips_ends_with_the_time_of_its_attempt():
    def drips(request):
        return httpx2.Response(200, content=(time.sleep(0.05) or b" " for _ in range(1_000)))

    http = httpx2.Client(transport=httpx2.MockTransport(drips))
    with pytest.raises(ConnectionLost, match="was not there within"):
        Client("http://groundhog", http=http, retries=RetryPolicy(timeout=0.1, attempts=1)).check_alive()


def test_an_awaited_answer_that_drips_ends_with_the_time_of_its_attempt():
    async def drip():
        for _ in range(1_000):
            await asyncio.sleep(0.05)
            yield b" "

    async def ask():
        http = httpx2.AsyncClient(
            transport=httpx2.MockTransport(lambda _: httpx2.Response(200, content=drip()))
        )
        await AsyncClient("http://g", http=http, retries=RetryPolicy(timeout=0.1, attempts=1)).check_alive()

    with pytest.raises(ConnectionLost, match="was not there within"):
        asyncio.run(ask())
