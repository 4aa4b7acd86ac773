"""The chart of a race: the score over time, with the range of single replications around it."""

from collections.abc import Mapping
from typing import Any

import vl_convert

from app.services.simulations import result_tables

WIDTH, HEIGHT, SCALE = 720, 420, 2
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#f0e442")
"""The palette of Okabe and Ito, which colour-blind people can distinguish, too."""

AXES = {
    "email": ("emails", "E-mails sent", "conversions", "Cumulative conversions"),
    "clv": ("day", "Day", "delta_clv", "Cumulative delta CLV, EUR"),
}


def specification(scenario: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chart as a Vega-Lite specification: a line per policy, its 2.5-97.5 % range as a band."""
    at, at_title, score, title = AXES[scenario]
    rows = result_tables.curve(scenario, result)
    names = list(dict.fromkeys(row["policy"] for row in rows))
    x = {"field": at, "type": "quantitative", "title": at_title, "scale": {"nice": False}}
    colour = {
        "field": "policy",
        "type": "nominal",
        "title": None,
        "sort": names,
        "scale": {"domain": names, "range": [COLOURS[i % len(COLOURS)] for i in range(len(names))]},
        "legend": {"orient": "bottom", "columns": 2, "labelLimit": 340, "symbolOpacity": 1},
    }
    band = {
        "y": {"field": f"{score}_low", "type": "quantitative", "title": title},
        "y2": {"field": f"{score}_high"},
    }
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": HEIGHT,
        "background": "white",
        "data": {"values": rows},
        "encoding": {"x": x, "color": colour},
        "layer": [
            {"mark": {"type": "area", "opacity": 0.15}, "encoding": band},
            {"mark": {"type": "line"}, "encoding": {"y": {"field": score, "type": "quantitative"}}},
        ],
    }


def png(scenario: str, result: Mapping[str, Any]) -> bytes:
    """Return the chart as a PNG."""
    return bytes(vl_convert.vegalite_to_png(specification(scenario, result), scale=SCALE))
