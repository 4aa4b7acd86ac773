"""The pictures of the curve and of the soak, as Vega-Lite specifications."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.load.resource_monitor import Look

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#f0e442")
"""Okabe and Ito: distinct for colour-blind people, too."""
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
WIDTH = 640
Spec = dict[str, Any]


def curve(rows: Sequence[Mapping[str, Any]]) -> Spec:
    """Return latency against rate, of rows with both: a line per percentile, one worker beside two."""
    return {
        "$schema": SCHEMA,
        "background": "white",
        "data": {"values": list(rows)},
        "mark": {"type": "line", "point": True},
        "width": WIDTH // 2,
        "height": 300,
        "encoding": {
            "x": _axis("rate", "Requests due per second"),
            "y": _axis("ms", "Latency from due to answered, ms", scale={"type": "log"}),
            "color": _colour("percentile", ["p50", "p90", "p99", "p99.9"]),
            "column": {"field": "workers", "type": "nominal", "title": None},
        },
    }


def soak(looks: Sequence[Look]) -> Spec:
    """Return memory over time, an area per process and PostgreSQL's together, above open files and connections."""
    return {
        "$schema": SCHEMA,
        "background": "white",
        "vconcat": [
            _over_time(_memory(looks), "MiB, resident", "area", 260),
            _over_time(_counts(looks), "open files; connections", "line", 140),
        ],
        "resolve": {"scale": {"color": "independent"}},
    }


def _memory(looks: Iterable[Look]) -> Iterator[Spec]:
    for look in looks:
        together: dict[str, float] = {}
        for name, mebibytes in look.mebibytes.items():
            what = "PostgreSQL" if name.startswith("PostgreSQL") else name
            together[what] = together.get(what, 0) + mebibytes
        yield from _rows(look, together)


def _counts(looks: Iterable[Look]) -> Iterator[Spec]:
    for look in looks:
        files = {"service": 0, "PostgreSQL": 0}
        for name, count in look.files.items():
            files[name.partition(":")[0]] += count
        named = {f"files of {name}": count for name, count in files.items()}
        yield from _rows(look, named | {"database connections": look.connections})


def _rows(look: Look, values: Mapping[str, float]) -> Iterator[Spec]:
    for what, value in values.items():
        yield {"minutes": look.seconds / 60, "what": what, "value": value}


def _over_time(rows: Iterable[Spec], title: str, mark: str, height: int) -> Spec:
    values = list(rows)
    names = list(dict.fromkeys(row["what"] for row in values))
    return {
        "width": WIDTH,
        "height": height,
        "data": {"values": values},
        "mark": {"type": mark},
        "encoding": {
            "x": _axis("minutes", "Minutes"),
            "y": _axis("value", title),
            "color": _colour("what", names),
        },
    }


def _axis(field: str, title: str, **more: Any) -> Spec:
    return {"field": field, "type": "quantitative", "title": title, **more}


def _colour(field: str, names: Sequence[str]) -> Spec:
    return {
        "field": field,
        "type": "nominal",
        "title": None,
        "sort": list(names),
        "scale": {"domain": list(names), "range": [COLOURS[i % len(COLOURS)] for i in range(len(names))]},
    }
