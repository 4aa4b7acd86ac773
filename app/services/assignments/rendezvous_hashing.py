"""Which variant a unit is drawn, and whether it is held out: pure functions of ids, shares and a salt.

Weighted rendezvous hashing: every variant draws a number for the unit, u in (0, 1], and the smallest -ln(u)/p
takes it, which happens with probability p. The draw need not be stored, and when shares move, a unit changes only
to a variant that gained or away from one that lost. Any client can repeat it (``docs/reference/assignments.md``):

    message = for each of salt, experiment id, unit id, variant id: its length in UTF-8 bytes as 4 bytes, big
              end first, then those bytes
    h       = the first 8 bytes of SHA-256(message), big end first, shifted right by 11: 53 bits
    u       = (h + 1/2) / 2^53, in double precision

References
----------
J. Resch, Weighted rendezvous hashing, SNIA Storage Developer Conference (2015).
D. G. Thaler and C. V. Ravishankar, IEEE/ACM Trans. Netw. 6 (1998) 1-14. doi:10.1109/90.663936
"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from math import log

BITS = 53


def pick_variant(salt: str, experiment_id: str, unit_id: str, shares: Mapping[str, float]) -> str:
    """Return the variant that a unit is drawn with these shares (any unit of measure; 0 is never drawn).

    Raises
    ------
    ValueError: no share is above 0
    """
    of_unit = _shared_part(salt) + _shared_part(experiment_id) + _part(unit_id)
    scores = {
        variant_id: -log(_uniform(of_unit + _shared_part(variant_id))) / share
        for variant_id, share in shares.items()
        if share > 0
    }
    return min(scores, key=scores.__getitem__)


def is_held_out(salt: str, experiment_id: str, unit_id: str, percent: float) -> bool:
    """Say whether a unit belongs to the hold-out: its draw for the empty variant id lies below the percent.

    No variant has that id, so this draw says nothing about the variants'; and a unit that is held out stays so
    while the percent grows.
    """
    message = _part(salt) + _part(experiment_id) + _part(unit_id) + _part("")
    return _uniform(message) < percent / 100


def _part(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(4, "big") + encoded


_shared_part = lru_cache(maxsize=4_096)(_part)
"""The same for texts that many units have in common."""


def _uniform(message: bytes) -> float:
    h = int.from_bytes(sha256(message).digest()[:8], "big") >> (64 - BITS)
    return (h + 0.5) / 2.0**BITS
