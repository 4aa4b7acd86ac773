"""Export and import: a whole experiment as a file."""

from collections.abc import Mapping
from dataclasses import dataclass

from groundhog_client._protocol.request import Answer, Request, path, reads
from groundhog_client._protocol.uploads import Source, upload


@dataclass(frozen=True, slots=True)
class Imported:
    """An imported experiment, and the number of rows by table."""

    experiment_id: str
    rows: Mapping[str, int]


def export_experiment(experiment_id: str) -> Request[bytes]:
    """Return everything an experiment has as NDJSON: settings, data, revisions, assignments."""
    where = path("experiments", experiment_id, "export")
    return Request("GET", where, _body, repeatable=True, unhurried=True)


def import_experiment(source: Source, *, idempotency_key: str | None = None) -> Request[Imported]:
    """Store an exported experiment as a whole, or nothing.

    Parameters
    ----------
    source : what `export_experiment` returned, or a file of it (its path, or opened in binary mode)
    """
    return upload("/experiments/import", reads(Imported), source, "ndjson", {}, idempotency_key)


def _body(answer: Answer) -> bytes:
    return answer.body
