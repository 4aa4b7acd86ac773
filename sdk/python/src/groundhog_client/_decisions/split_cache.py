"""The last split of each experiment, so that units are drawn without a request for each."""

from collections.abc import Callable

from groundhog_client._errors import GroundhogError
from groundhog_client._operations.assignments.splits import Split
from groundhog_client._protocol.service_clock import ServiceClock

REFRESH_SECONDS = 60.0


class SplitCache:
    """Splits by experiment; each is read again after a minute, and when its time ends.

    Parameters
    ----------
    clock : seconds of a monotonic clock
    service_clock : the service's time, by which a split ends
    """

    def __init__(self, clock: Callable[[], float], service_clock: ServiceClock) -> None:
        self._clock, self._service_clock = clock, service_clock
        self._cached: dict[str, tuple[float, Split]] = {}

    def get(self, experiment_id: str) -> Split | None:
        """Return the split of an experiment; None where it should be read again."""
        until, split = self._cached.get(experiment_id, (0.0, None))
        return split if self._clock() < until else None

    def put(self, experiment_id: str, outcome: Split | GroundhogError) -> Split | GroundhogError:
        """Return the split that was read; after an error the last one, or the error where there is none."""
        if isinstance(outcome, GroundhogError):
            return self._cached[experiment_id][1] if experiment_id in self._cached else outcome
        left = (outcome.until - self._service_clock.now()).total_seconds()
        self._cached[experiment_id] = (self._clock() + min(REFRESH_SECONDS, max(left, 1.0)), outcome)
        return outcome
