"""The folder of temporary files is full: whoever needs one is told to come again, and nothing is stored."""

import errno
import io

import pytest

from app.api import temporary_files
from tests.support.totals import total

HEADER = b"experiment_id,variant_id,date,impressions,successes\n"
LINE = b"homepage,control,2026-03-01,1000,120\n"


class FullDisk(io.RawIOBase):
    """A file on a disk without a byte of room."""

    def readable(self):
        return True

    def writable(self):
        return True

    def seekable(self):
        return True

    def seek(self, *where):
        return 0

    def tell(self):
        return 0

    def write(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def full(client, monkeypatch):
    """A client of a service whose temporary files find no room."""
    client.post("/metrics/", json=total())

    def on_a_full_disk(*_):
        return io.BufferedRandom(FullDisk())

    for kind in ("TemporaryFile", "SpooledTemporaryFile"):
        monkeypatch.setattr(temporary_files, kind, on_a_full_disk)
    return client


def come_again(answer):
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30"), answer.text
    assert "disk" in answer.json()["detail"]


@pytest.mark.parametrize("lines", [1, 5_000], ids=["the last block", "one before"])
@pytest.mark.parametrize(
    ("path", "kind"), [("/metrics/bulk", "text/csv"), ("/experiments/import", "application/x-ndjson")]
)
def test_an_upload_without_room_is_503(full, lines, path, kind):
    come_again(full.post(path, content=HEADER + LINE * lines, headers={"Content-Type": kind}))
    assert len(full.get("/metrics/homepage").json()["items"]) == 1


def test_an_export_without_room_is_503(full):
    come_again(full.get("/experiments/homepage/export"))


def test_no_folder_for_temporary_files_is_503(full, monkeypatch):
    def nowhere():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(temporary_files, "TemporaryFile", nowhere)
    come_again(full.post("/metrics/bulk", content=HEADER + LINE, headers={"Content-Type": "text/csv"}))
