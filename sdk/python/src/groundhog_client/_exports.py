"""A whole experiment as a file: out of one service and into another."""

from collections.abc import Mapping
from dataclasses import dataclass

from groundhog_client._uploads import Source, upload
from groundhog_client._wire import Answer, Request, path, reads


@dataclass(frozen=True, slots=True)
class Imported:
    """An experiment that came from another service, and how many rows of each table."""

    experiment_id: str
    rows: Mapping[str, int]


def export_experiment(experiment_id: str) -> Request[bytes]:
    """Return everything an experiment has as NDJSON: settings, data, revisions, assignments."""
    where = path("experiments", experiment_id, "export")
    return Request("GET", where, _body, repeatable=True, unhurried=True)


def import_experiment(source: Source, *, idempotency_key: str | None = None) -> Request[Imported]:
    """Store an exported experiment whole, or not at all.

    Parameters
    ----------
    source : what `export_experiment` returned, or a file of it (its path, or opened in binary mode)
    """
    return upload("/experiments/import", reads(Imported), source, "ndjson", {}, idempotency_key)


def _body(answer: Answer) -> bytes:
    return answer.body
