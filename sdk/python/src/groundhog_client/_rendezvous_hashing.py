"""The service's weighted rendezvous hashing: which variant a unit is drawn, without a request.

    message = for each of salt, experiment id, unit id, variant id: its length in UTF-8 bytes as 4 bytes, big
              end first, then those bytes
    h       = the first 8 bytes of SHA-256(message), big end first, without the last 11 bits: 53 bits
    u       = (h + 1/2) / 2^53

The variant with the smallest -ln(u)/share takes the unit; shares of 0 are skipped. A unit is held out where
the u of the empty variant id is below holdout_percent/100.
"""

import hashlib
import math
from collections.abc import Mapping


def draw(salt: str, experiment_id: str, unit_id: str, shares: Mapping[str, float]) -> str:
    """Return the variant a unit is drawn with these shares, in percent or any other measure.

    Raises
    ------
    ValueError: no share is above 0
    """
    scores = {
        variant_id: -math.log(uniform(salt, experiment_id, unit_id, variant_id)) / share
        for variant_id, share in shares.items()
        if share > 0
    }
    return min(scores, key=scores.__getitem__)


def is_held_out(salt: str, experiment_id: str, unit_id: str, holdout_percent: float) -> bool:
    """Return whether a unit is held out of the experiment, and so gets the control."""
    return uniform(salt, experiment_id, unit_id, "") < holdout_percent / 100


def uniform(*texts: str) -> float:
    """Return the number in (0, 1) that belongs to these texts."""
    message = b"".join(len(raw).to_bytes(4, "big") + raw for raw in map(str.encode, texts))
    h = int.from_bytes(hashlib.sha256(message).digest()[:8], "big") >> 11
    return (h + 0.5) / 2.0**53
