"""What a soak makes of what it saw."""

from benchmarks.attachments import Attachment
from benchmarks.load import soak
from benchmarks.load.open_loop import NO_ANSWER, Offered
from benchmarks.load.resource_monitor import Look


def seen(mebibytes_per_minute=0.0, connections=26):
    looks = [
        Look(
            seconds=3 * turn,
            mebibytes={
                "service: worker 7": 130 + mebibytes_per_minute * turn / 20,
                "PostgreSQL: walwriter 9": 4,
            },
            files={"service: worker 7": 70, "PostgreSQL: walwriter 9": 8},
            connections=connections,
        )
        for turn in range(200)
    ]
    return soak.Soak("2026-11-22 02:35 UTC", 10, 2, 100, 240, 99.9, 0, 5, 50, 0.5, looks)


def missed(of):
    return [one.what for one in soak.shown(of) if not isinstance(one, Attachment) and one.verdict == "MISSED"]


def test_what_stays_as_it_was_is_flat():
    assert missed(seen()) == []


def test_a_worker_that_gains_a_mebibyte_per_minute_is_not():
    (what,) = missed(seen(mebibytes_per_minute=1))
    assert what.startswith("MiB of memory, service")


def test_more_connections_than_the_pools_may_open_are_reported():
    (what,) = missed(seen(connections=41))
    assert what.startswith("database connections")


def test_what_was_not_answered_as_it_should_be_is_reported_one_by_one():
    offered = Offered(100, 600, busy_seconds=600, latencies=[0.1, 0.2])
    offered.wrong.update({("GET /allocations", 503): 2, ("POST /metrics", NO_ANSWER): 1})
    shown = soak.shown(soak._soak(10, 2, 240, offered, seen().looks))
    (told,) = [one.beside for one in shown if getattr(one, "what", "").startswith("requests not answered")]
    assert "2 x GET /allocations: 503; 1 x POST /metrics: no answer until the end" in told


def test_a_soak_is_stored_and_shown_again(monkeypatch, tmp_path):
    monkeypatch.setattr(soak, "LATEST", tmp_path / "soak.json")
    assert list(soak.measure()) == []
    soak.save(seen())
    assert soak.read() == seen()
    *_, exhibit = soak.measure()
    exhibit.draw(tmp_path)
    assert (tmp_path / "benchmarks-soak.png").read_bytes().startswith(b"\x89PNG")
    assert exhibit.markdown("img").splitlines()[2] == f"![{exhibit.title}](img/benchmarks-soak.png)"
