"""API keys: create, revoke and list them, and parse what a client sends.

A key is ``gh_<id>_<secret>``. The id finds it; of the secret, 256 random bits, only the SHA-256 is stored.
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
    """Return the id of a key and the digest of its secret; None for a text that is not a key."""
    found = API_KEY.fullmatch(key) if len(key) <= MAX_LENGTH else None
    return None if found is None else (found[1], hash_secret(found[2]))


def hash_secret(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def verify(sent: bytes, stored: bytes | None) -> bool:
    """Compare digests in constant time, also where no key has the id (None)."""
    return hmac.compare_digest(sent, bytes(32) if stored is None else stored) and stored is not None


def create(session: Session, new: ApiKeyIn, now: dt.datetime) -> tuple[ApiKey, str]:
    """Create a key; return its record, and the key itself, which cannot be read again."""
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
    """Create the key of GROUNDHOG_ADMIN_KEY as an admin key, or replace it where its secret has changed.

    Safe to repeat and to race. A revoked key stays revoked until the setting has another secret.
    """
    parts = parse(key)
    assert parts is not None, "the settings checked its form"
    key_id, secret_sha256 = parts
    row = insert(tables.ApiKey).values(
        key_id=key_id, name=ADMIN_KEY, scopes=["admin"], secret_sha256=secret_sha256, created_at=now
    )
    written = session.scalar(
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
                "origins": None,
            },
            where=tables.ApiKey.secret_sha256 != row.excluded.secret_sha256,
        ).returning(tables.ApiKey.key_id)
    )
    if written is not None:
        audit_log.record(session, "create_key", now, [key_id])


def revoke(session: Session, key_id: str, now: dt.datetime) -> ApiKey:
    """Revoke a key permanently; its record stays. Revoking twice changes nothing.

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
    """Return every key that was ever created, the oldest first."""
    rows = session.scalars(select(tables.ApiKey).order_by(tables.ApiKey.created_at, tables.ApiKey.key_id))
    return [ApiKey.model_validate(row) for row in rows]


def any_exist(session: Session) -> bool:
    """Tell whether a key was ever created."""
    return session.scalar(select(tables.ApiKey.key_id).limit(1)) is not None
