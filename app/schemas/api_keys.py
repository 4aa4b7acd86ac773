"""What an API key is made of."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Scope = Literal["report", "read", "admin"]
SCOPES: tuple[Scope, ...] = ("report", "read", "admin")

KeyName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]


class ApiKeyIn(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: KeyName = Field(description="For people: who or what uses it")
    scopes: list[Scope] = Field(min_length=1, description="What it may do")
    experiment_prefix: Prefix | None = Field(
        default=None, description="The ids of the experiments it may touch begin with this"
    )
    requests_per_minute: int | None = Field(
        default=None, ge=1, le=10_000_000, description="How often it may ask one server process"
    )
    expires_at: AwareDatetime | None = Field(default=None, description="From when on it is rejected")


class ApiKey(ApiKeyIn):
    """A key as it is kept: everything but its secret."""

    model_config = ConfigDict(extra="ignore", from_attributes=True)

    key_id: str
    created_at: dt.datetime
    revoked_at: dt.datetime | None
    last_used_at: dt.datetime | None

    def state(self, now: dt.datetime) -> Literal["valid", "expired", "revoked"]:
        """Tell whether it can be used."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"
