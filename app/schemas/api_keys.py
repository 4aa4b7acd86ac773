"""What an API key is made of."""

import datetime as dt
import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

Scope = Literal["evaluate", "report", "read", "admin"]
DEFAULT_PORT = re.compile(r"^(http://.*):80$|^(https://.*):443$")

KeyName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]


def _as_sent(origin: str) -> str:
    """Return an origin as browsers send it, in lower case and without the default port."""
    if not re.fullmatch(r"https?://[^/\s*@?#]+", origin):
        raise PydanticCustomError(
            "origin", "an origin is a scheme and a host without a path, such as https://shop.example"
        )
    default = DEFAULT_PORT.match(origin)
    return origin if default is None else default[1] or default[2]


KeyOrigin = Annotated[str, StringConstraints(to_lower=True, max_length=300), AfterValidator(_as_sent)]


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
    origins: list[KeyOrigin] | None = Field(
        default=None, min_length=1, max_length=100, description="It works only in pages of these origins"
    )

    @model_validator(mode="after")
    def _a_public_key_evaluates_only(self) -> Self:
        if "evaluate" in self.scopes and set(self.scopes) != {"evaluate"}:
            raise PydanticCustomError(
                "scopes", "evaluate goes alone: a key in a page is public, and report and admin contain it"
            )
        if self.origins is not None and "evaluate" not in self.scopes:
            raise PydanticCustomError("origins", "origins go with the scope evaluate only")
        return self


class ApiKey(ApiKeyIn):
    """A key as it is stored: everything but its secret."""

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
