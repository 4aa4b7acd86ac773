"""API keys: made, revoked, listed, and read back from what a client sends.

A key is ``gh_<id>_<secret>``. The id finds it; of the secret, 256 random bits, only the SHA-256 is kept.
"""

import datetime as dt
import hashlib
import hmac
import secrets

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.schemas.api_keys import ApiKey, ApiKeyIn
from app.services.access import audit_log
from app.settings import API_KEY
from app.storage import tables

MAX_LENGTH = 200
ADMIN_KEY = "GROUNDHOG_ADMIN_KEY"


def parse(key: str) -> tuple[str, bytes] | None:
    """Return the id of a key and the digest of its secret; None for what has not the form of a key."""
    found = API_KEY.fullmatch(key) if len(key) <= MAX_LENGTH else None
    return None if found is None else (found[1], hash_secret(found[2]))


def hash_secret(secret: str) -> bytes:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def verify(sent: bytes, kept: bytes | None) -> bool:
    """Compare digests in a time that tells nothing, not even that there is none to compare with."""
    return hmac.compare_digest(sent, bytes(32) if kept is None else kept) and kept is not None


def create(session: Session, new: ApiKeyIn, now: dt.datetime) -> tuple[ApiKey, str]:
    """Make a key; return what is kept of it, and the key itself, which nobody can read again."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row = tables.ApiKey(
        key_id=key_id, secret_sha256=hash_secret(secret), created_at=now, **new.model_dump(exclude={"scopes"}),
        scopes=sorted(set(new.scopes)),
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit_log.record(session, "create_key", now, [key_id])
    return ApiKey.model_validate(row), f"gh_{key_id}_{secret}"


def upsert_admin_key(session: Session, key: str, now: dt.datetime) -> None:
    """Let the key of the setting be an admin key; with another secret under its id it is changed.

    Safe to repeat and to race. A key that was revoked stays so as long as the setting keeps its secret.
    """
    parts = parse(key)
    assert parts is not None, "the settings checked its form"
    key_id, secret_sha256 = parts
    row = insert(tables.ApiKey).values(
        key_id=key_id, name=ADMIN_KEY, scopes=["admin"], secret_sha256=secret_sha256, created_at=now
    )
    kept = session.scalar(
        row.on_conflict_do_update(
            index_elements=["key_id"],
            set_={
                "name": row.excluded.name,
                "scopes": row.excluded.scopes,
                "secret_sha256": row.excluded.secret_sha256,
                "created_at": row.excluded.created_at,
                "experiment_prefix": None,
                "requests_per_minute": None,
                "expires_at": None,
                "revoked_at": None,
                "last_used_at": None,
            },
            where=tables.ApiKey.secret_sha256 != row.excluded.secret_sha256,
        ).returning(tables.ApiKey.key_id)
    )
    if kept is not None:
        audit_log.record(session, "create_key", now, [key_id])


def revoke(session: Session, key_id: str, now: dt.datetime) -> ApiKey:
    """Take a key's power for ever; its record stays. Revoking twice changes nothing.

    Raises
    ------
    NotFound: there is no such key
    """
    row = session.get(tables.ApiKey, key_id, with_for_update=True)
    if row is None:
        raise NotFound(f"there is no key {key_id!r}; `groundhog keys list` shows the ids")
    if row.revoked_at is None:
        row.revoked_at = now
        session.flush()
        audit_log.record(session, "revoke_key", now, [key_id])
    return ApiKey.model_validate(row)


def list_keys(session: Session) -> list[ApiKey]:
    """Return every key there ever was, the oldest first."""
    rows = session.scalars(select(tables.ApiKey).order_by(tables.ApiKey.created_at, tables.ApiKey.key_id))
    return [ApiKey.model_validate(row) for row in rows]


def any_exist(session: Session) -> bool:
    """Tell whether there ever was a key."""
    return session.scalar(select(tables.ApiKey.key_id).limit(1)) is not None
