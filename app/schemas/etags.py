"""Entity tags: a client that has the present answer is told so instead of getting it again."""

from hashlib import sha256


def etag_of(*parts: bytes) -> str:
    """Return the tag of a content."""
    return f'"{sha256(b"".join(parts)).hexdigest()[:16]}"'


def matches(if_none_match: str | None, etag: str) -> bool:
    """Say whether a request's If-None-Match names the tag."""
    if if_none_match is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in tags or "*" in tags
