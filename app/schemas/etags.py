"""Entity tags (RFC 9110): a client that has the present representation need not be sent it again."""

from hashlib import sha256


def etag_of(*parts: bytes) -> str:
    """Return the entity tag of a content."""
    return f'"{sha256(b"".join(parts)).hexdigest()[:16]}"'


def matches(header: str | None, etag: str, weak: bool = True) -> bool:
    """Return whether a request's If-None-Match or If-Match names the tag.

    Parameters
    ----------
    weak : compare weakly, as If-None-Match does (section 13.1.2); False: strongly, as If-Match does (13.1.1)
    """
    if header is None:
        return False
    tags = [tag.strip() for tag in header.split(",")]
    if weak:
        tags = [tag.removeprefix("W/") for tag in tags]
    return etag in tags or "*" in tags
