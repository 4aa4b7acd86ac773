"""Write rendezvous.json: draws by the definition, in 50 digits: ``python -m tests.support.golden.rendezvous``.

The server and its clients read the file. Nothing here uses their code.
"""

import hashlib
import json
import struct
from pathlib import Path

from mpmath import log, mp, mpf

FILE = Path(__file__).with_suffix(".json")

SHARES = [
    {"control": 50.0, "variant": 50.0},
    {"control": 33.3333, "a": 33.3333, "b": 33.3334},
    {"control": 5.0, "a": 10.0, "b": 15.0, "c": 30.0, "d": 40.0},
    {"control": 0.0, "a": 0.0001, "b": 99.9999},
    {"only": 100.0},
    {"z": 20.0, "a": 80.0},
]
UNITS = [
    "1",
    "user-42",
    "a unit with spaces",
    "0" * 256,
    "кошка",
    "\u00e9",
    "e\u0301",
    "\U0001f43f\ufe0f" * 3,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    'with "quotes" and \\',
]
PLACES = [
    ("", "checkout-button"),
    ("pepper", "checkout-button"),
    ("", "checkout-butto"),
    ("Salz \u00fc", "E.2_x-"),
]
LENGTHS_MATTER = [("", "ab", "c"), ("", "a", "bc"), ("a", "b", "c"), ("ab", "c", "d")]
HOLDOUT_PERCENT = [0.0, 0.5, 10.0, 50.0, 100.0]


def bits(salt, experiment_id, unit_id, variant_id):
    """The 53 bits of a draw."""
    message = b""
    for text in (salt, experiment_id, unit_id, variant_id):
        raw = text.encode("utf-8")
        message += struct.pack(">I", len(raw)) + raw
    return struct.unpack(">Q", hashlib.sha256(message).digest()[:8])[0] >> 11


def drawn(salt, experiment_id, unit_id, shares):
    """One case: the bits of every variant and of the hold-out, and what follows from them."""
    h = {variant_id: bits(salt, experiment_id, unit_id, variant_id) for variant_id in shares}
    uniform = {variant_id: (mpf(h[variant_id]) + mpf(1) / 2) / 2**53 for variant_id in shares}
    scores = {v: -log(uniform[v]) / mpf(share) for v, share in shares.items() if share > 0}
    ranked = sorted(scores, key=scores.get)
    clear = len(ranked) < 2 or scores[ranked[1]] - scores[ranked[0]] > mpf("1e-9") * scores[ranked[1]]
    assert clear, "too close for double precision: choose another unit"
    holdout = bits(salt, experiment_id, unit_id, "")
    return {
        "salt": salt,
        "experiment_id": experiment_id,
        "unit_id": unit_id,
        "shares": shares,
        "bits": h,
        "variant_id": ranked[0],
        "holdout_bits": holdout,
        "held_out": {
            f"{p:g}": bool((mpf(holdout) + mpf(1) / 2) / 2**53 < mpf(p) / 100) for p in HOLDOUT_PERCENT
        },
    }


def cases():
    """Every case of the file."""
    mp.dps = 50
    units = UNITS + [f"unit-{number}" for number in range(40)]
    found = [
        drawn(salt, experiment_id, unit_id, SHARES[(number + offset) % len(SHARES)])
        for offset, (salt, experiment_id) in enumerate(PLACES)
        for number, unit_id in enumerate(units)
    ]
    return found + [drawn(*ids, SHARES[0]) for ids in LENGTHS_MATTER]


def text():
    """The file: one case a line."""
    lines = ",\n".join(json.dumps(case) for case in cases())
    return f"[\n{lines}\n]\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="ascii")
