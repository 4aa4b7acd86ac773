"""Who asks: what the API key of the present request may do, and to which experiments."""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass

from app.errors import FieldError, Forbidden
from app.schemas.api_keys import Scope


@dataclass(frozen=True, slots=True)
class Principal:
    """The API key behind a request.

    Parameters
    ----------
    key_id : None where no key was needed: a service that is open, a command
    name : as people know the key
    scopes : what it may do; ``admin`` contains the others
    experiment_prefix : the ids of the experiments it may touch begin with this; None is all of them
    """

    key_id: str | None
    name: str
    scopes: frozenset[Scope]
    experiment_prefix: str | None = None

    def has_scope(self, scope: Scope) -> bool:
        """Tell whether the key has a scope."""
        return scope in self.scopes or "admin" in self.scopes

    def can_access(self, experiment_id: str) -> bool:
        """Tell whether an experiment lies within the key's limit."""
        return self.experiment_prefix is None or experiment_id.startswith(self.experiment_prefix)


ANONYMOUS = Principal(None, "anybody", frozenset({"admin"}))
CLI = Principal(None, "command line", frozenset({"admin"}))
current_principal: ContextVar[Principal] = ContextVar("acting", default=ANONYMOUS)
"""The caller of the present request; a command on this machine may do everything."""


def access_error(experiment_id: str) -> Forbidden | None:
    """Return why the caller may not touch an experiment, whether or not it exists; None if he may."""
    caller = current_principal.get()
    return None if caller.can_access(experiment_id) else Forbidden(_beyond(caller))


def require_access(experiment_id: str) -> None:
    """Refuse an experiment outside the caller's limit.

    Raises
    ------
    Forbidden: naming the limit
    """
    refused = access_error(experiment_id)
    if refused is not None:
        raise refused


def require_access_to_all(named: Iterable[tuple[str, str]]) -> None:
    """Refuse a message some of whose items, given as (place, experiment), lie outside the caller's limit.

    Raises
    ------
    Forbidden: naming each of them
    """
    caller = current_principal.get()
    if caller.experiment_prefix is None:
        return
    beyond = [place for place, experiment_id in named if not caller.can_access(experiment_id)]
    if beyond:
        faults = [FieldError(place, "outside the limit of the API key") for place in beyond]
        raise Forbidden(_beyond(caller), faults)


def _beyond(caller: Principal) -> str:
    return f"the API key is limited to experiments whose id begins with {caller.experiment_prefix!r}"
