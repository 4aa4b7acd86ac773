"""Entity tags (RFC 9110, 8.8.3): of a content, and compared with those that a request names."""

from hashlib import sha256


def etag_of(*parts: bytes) -> str:
    """Return the entity tag of a content."""
    return f'"{sha256(b"".join(parts)).hexdigest()[:16]}"'


def matches(sent: str | None, etag: str, weak: bool = True) -> bool:
    """Tell whether an If-None-Match (``weak``) or If-Match names the current tag; ``*`` names every tag.

    The strong comparison never matches a weak tag: ``W/"a"`` may stand for other bytes.
    """
    if sent is None:
        return False
    tags = {tag.strip() for tag in sent.split(",")}
    if weak:
        tags = {tag.removeprefix("W/") for tag in tags}
    return etag in tags or "*" in tags
