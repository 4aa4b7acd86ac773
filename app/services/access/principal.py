"""The principal of a request: what its API key may do, and with which experiments."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from app.errors import FieldError, Forbidden
from app.schemas.api_keys import Scope

SUFFICIENT: Mapping[Scope, frozenset[Scope]] = {
    "evaluate": frozenset({"evaluate", "report", "admin"}),
    "report": frozenset({"report", "admin"}),
    "read": frozenset({"read", "admin"}),
    "admin": frozenset({"admin"}),
}
"""The scopes that contain each scope."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The API key behind a request.

    Parameters
    ----------
    key_id : None where no key was needed: an open service, a command
    name : the name of the key
    scopes : what it may do; ``report`` contains ``evaluate``, ``admin`` contains all others
    experiment_prefix : it may access experiments whose ids begin with this; None is all of them
    origins : it works only in pages of these origins; None is from anywhere
    """

    key_id: str | None
    name: str
    scopes: frozenset[Scope]
    experiment_prefix: str | None = None
    origins: frozenset[str] | None = None

    def has_scope(self, scope: Scope) -> bool:
        """Tell whether the key has a scope."""
        return not self.scopes.isdisjoint(SUFFICIENT[scope])

    @property
    def evaluates_only(self) -> bool:
        """Whether the key may be public, in a page: it evaluates flags and records their events, nothing else."""
        return self.scopes == {"evaluate"}

    def can_access(self, experiment_id: str) -> bool:
        """Tell whether the key may access an experiment."""
        return self.experiment_prefix is None or experiment_id.startswith(self.experiment_prefix)


ANONYMOUS = Principal(None, "anybody", frozenset({"admin"}))
CLI = Principal(None, "command line", frozenset({"admin"}))
current_principal: ContextVar[Principal] = ContextVar("current_principal", default=ANONYMOUS)
"""The principal of the current request or command; a command on this machine may do everything."""


def access_error(experiment_id: str) -> Forbidden | None:
    """Return why the principal may not access an experiment, whether or not it exists; None if it may."""
    who = current_principal.get()
    return None if who.can_access(experiment_id) else Forbidden(_limit(who))


def require_access(experiment_id: str) -> None:
    """Reject an experiment that the principal may not access.

    Raises
    ------
    Forbidden: naming the prefix that the key is limited to
    """
    error = access_error(experiment_id)
    if error is not None:
        raise error


def require_access_to_all(named: Iterable[tuple[str, str]]) -> None:
    """Reject a message if the principal may not access the experiments of all items, given as (place, experiment).

    Raises
    ------
    Forbidden: naming each of them
    """
    who = current_principal.get()
    if who.experiment_prefix is None:
        return
    errors = [
        FieldError(place, "the API key is limited to other experiments")
        for place, experiment_id in named
        if not who.can_access(experiment_id)
    ]
    if errors:
        raise Forbidden(_limit(who), errors)


def _limit(who: Principal) -> str:
    return f"the API key is limited to experiments whose id begins with {who.experiment_prefix!r}"
