"""Every setting of the service, once.

Read from the environment (prefix ``GROUNDHOG_``, except ``DATABASE_URL`` and ``READ_DATABASE_URL``) and from
``.env``. ``.env.example`` lists them with their defaults; a test keeps it complete.
"""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

API_KEY = re.compile(r"gh_([A-Za-z0-9]{1,32})_([A-Za-z0-9_-]{32,128})", re.ASCII)
"""An API key: its id, which may be seen, and its secret."""


def default_home() -> Path:
    """Return where the embedded PostgreSQL keeps its data when nobody says otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/groundhog")
    given = os.environ.get("XDG_DATA_HOME")
    user_home = Path(os.path.expanduser("~"))  # stays "~" for a user without HOME and without a passwd entry
    if not given and not user_home.is_absolute():
        return Path(".groundhog")
    return Path(given or user_home / ".local" / "share") / "groundhog"


def _none_from_words(value: object) -> object:
    return None if isinstance(value, str) and value.strip().lower() in {"", "none", "off"} else value


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Origin = Annotated[str, StringConstraints(pattern=r"^(\*|https?://[^/\s*]+)$")]
"""Where a page comes from: ``https://shop.example``, without a path; ``*`` is everywhere."""


def _renamed(name: str, former: str) -> AliasChoices:
    """Read a setting by its name or, for one more version, by its former one."""
    return AliasChoices(f"GROUNDHOG_{name.upper()}", f"GROUNDHOG_{former}", name)


class ServiceSettings(BaseSettings):
    """What an operator can change; see each field's description."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDHOG_",
        env_file=".env",
        extra="ignore",
        populate_by_name=True,
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: Annotated[str | None, BeforeValidator(_none_from_words)] = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="PostgreSQL to use; without it the service starts its own under GROUNDHOG_HOME",
    )
    read_database_url: Annotated[str | None, BeforeValidator(_none_from_words)] = Field(
        default=None,
        validation_alias=AliasChoices("READ_DATABASE_URL", "read_database_url"),
        description="A streaming replica of DATABASE_URL, which serves allocations where it is up to date",
    )
    home: Path = Field(default_factory=default_home, description="Folder of the embedded PostgreSQL")
    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one")
    workers: int = Field(default=1, ge=1, le=64, description="Server processes")
    shutdown_seconds: int = Field(default=10, ge=1, description="How long a stop waits for open requests")

    migrate: bool = Field(
        default=True,
        description="Migrate the schema before serving; false waits until `groundhog migrate` has done it",
    )
    pool_size: int = Field(default=10, ge=1, description="Database connections per process")
    pool_timeout_seconds: float = Field(default=30, gt=0, description="How long a request waits for one")
    connect_timeout_seconds: int = Field(default=3, ge=1, description="Timeout of connecting to the database")
    statement_timeout_ms: int = Field(
        default=30_000, ge=0, description="Longest statement, except those of uploads; 0 is no limit"
    )
    lock_timeout_ms: int = Field(default=10_000, ge=0, description="Longest wait for a lock")
    idle_in_transaction_timeout_ms: int = Field(default=60_000, ge=0, description="Longest idle transaction")
    prepare_threshold: Annotated[int | None, BeforeValidator(_none_from_words)] = Field(
        default=5,
        description="After how many executions a statement is prepared (psycopg); 'none' behind pgbouncer in"
        " transaction mode: no session state",
    )

    admin_key: Annotated[SecretStr | None, BeforeValidator(_none_from_words)] = Field(
        default=None, description="An initial admin key, gh_<id>_<secret>; for containers"
    )
    key_cache_seconds: float = Field(
        default=10,
        ge=0,
        description="How long API keys are cached: a revoked key is rejected after this time",
    )
    public_docs: bool = Field(
        default=True,
        validation_alias=_renamed("public_docs", "DOCS_OPEN"),
        description="Show /docs, /redoc and /openapi.json without a key",
    )
    public_metrics: bool = Field(
        default=False,
        validation_alias=_renamed("public_metrics", "TELEMETRY_OPEN"),
        description="Show GET /metrics (Prometheus) without a key",
    )
    audit_days: int = Field(default=400, ge=1, description="How long entries of the audit log are stored")

    auto_register: bool = Field(default=True, description="Register unknown experiments and variants on POST")
    read_only: bool = Field(
        default=False, description="Answer reads only and record no allocation (a replica)"
    )
    max_head_bytes: int = Field(
        default=64 * 1024, ge=1024, description="Largest request line and headers together"
    )
    header_timeout_seconds: float = Field(
        default=10,
        validation_alias=_renamed("header_timeout_seconds", "HEAD_SECONDS"),
        gt=0,
        description="Timeout for receiving a request's headers",
    )
    idle_timeout_seconds: float = Field(
        default=30,
        validation_alias=_renamed("idle_timeout_seconds", "STALL_SECONDS"),
        gt=0,
        description="Longest time without progress of a request body or a response",
    )
    min_body_rate: int = Field(
        default=1_000, ge=1, description="Bytes per second that a body must reach after that time"
    )
    max_body_bytes: int = Field(
        default=4 * 1024 * 1024, ge=1024, description="Largest request body, except bulk uploads"
    )
    max_bulk_bytes: int = Field(default=4 * 1024**3, ge=1024, description="Largest bulk upload")
    max_line_bytes: int = Field(default=64 * 1024, ge=1024, description="Longest line of a bulk upload")
    bulk_errors_listed: int = Field(default=100, ge=1, description="Line errors listed in a bulk answer")
    idempotency_hours: int = Field(default=24, ge=1, description="How long an Idempotency-Key is stored")
    snapshot_days: Annotated[int | None, BeforeValidator(_none_from_words)] = Field(
        default=None,
        ge=120,
        description="For how many days back reports that newer ones replaced, and the days and hours in"
        " which conversions were received, are stored; none is all of them",
    )
    allocation_cache_bytes: int = Field(
        default=64 * 1024 * 1024, ge=0, description="Memory of the cache of allocations"
    )
    assignment_salt: str = Field(
        default="",
        max_length=256,
        description="Hashed with every unit; another salt assigns all new units differently",
    )
    ofrep_flags: int = Field(
        default=1_000, ge=1, le=10_000, description="Flags in one bulk evaluation (OFREP)"
    )
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_listed)] = Field(
        default=(),
        description="Origins whose scripts may evaluate flags and record events (CORS of /ofrep/ and /events),"
        " with commas between; those of API keys are added",
    )
    simulation_workers: int = Field(
        default=1, ge=1, le=64, description="Processes that run simulations, per server process"
    )
    simulation_max_decisions: int = Field(
        default=1_000_000_000, ge=1, description="Largest simulation: rounds x replications x policies"
    )
    simulation_immediate_decisions: int = Field(
        default=1_000_000, ge=0, description="Largest simulation that is answered at once, otherwise with 202"
    )
    simulation_wait_seconds: float = Field(
        default=10, ge=0, description="How long a request waits for such a simulation before it returns 202"
    )

    metrics_max_experiments: int = Field(
        default=100,
        validation_alias=_renamed("metrics_max_experiments", "TELEMETRY_EXPERIMENTS"),
        ge=0,
        description="Experiments for which series of shares and P(best) are exported",
    )
    metrics_max_variants: int = Field(
        default=1_000,
        ge=0,
        description="Variants, of all those experiments together, for which these series are exported",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Log level")
    log_format: Literal["json", "text"] = Field(
        default="json", description="One JSON object or text per line"
    )

    @field_validator("database_url", "read_database_url")
    @classmethod
    def _a_postgresql_url(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None:
            return None
        name = str(info.field_name).upper()
        try:
            backend = make_url(url).get_backend_name()
        except ArgumentError:
            raise ValueError(f"{name} is not a URL such as postgresql://user:password@host/name") from None
        if backend not in {"postgresql", "postgres"}:
            raise ValueError(f"{name} must name a PostgreSQL database, not {backend}")
        return url

    @field_validator("admin_key")
    @classmethod
    def _a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not API_KEY.fullmatch(key.get_secret_value()):
            raise ValueError(
                "GROUNDHOG_ADMIN_KEY should be gh_, an id of letters and digits, _ and a secret of 32 to 128"
                " letters, digits, - and _: echo gh_admin_$(openssl rand -hex 32)"
            )
        return key

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:  # a name: nobody knows what it stands for tomorrow
            return False
