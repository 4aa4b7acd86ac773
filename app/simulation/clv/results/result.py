"""What came out of a race, as plain numbers."""

from dataclasses import dataclass
from typing import Any

from app.bandits.arrays import Floats
from app.simulation.clv.race.campaign import Booked
from app.simulation.clv.race.race import Race
from app.simulation.clv.results.world_summary import world_summary
from app.simulation.clv.world.enumeration import Enumeration, enumerated
from app.simulation.clv.world.world import World
from app.simulation.replication_statistics import band, ratio, summary


@dataclass(frozen=True, slots=True)
class RaceResult:
    """What each policy of a race came to, in the order of its list.

    Parameters
    ----------
    race, world : what was played
    booked : per policy, all replications
    """

    race: Race
    world: World
    booked: tuple[Booked, ...]

    def final(self, place: int) -> Floats:
        """Cumulative delta CLV on the last day of each replication, (r,), EUR."""
        return self.booked[place].cumulative[:, -1]

    def to_dict(self) -> dict[str, Any]:
        """Everything but the log, JSON-able: values in EUR, days counted from the start date."""
        known = enumerated(self.world)
        return {
            "start": self.race.scenario.start.isoformat(),
            "days": self.race.scenario.days,
            "replications": self.race.replications,
            "arms": list(self.world.arms.names),
            "policies": [self._policy(place) for place in range(len(self.booked))],
            "enumeration": None if known is None else self._enumeration(known),
            **world_summary(self.world),
        }

    def _policy(self, place: int) -> dict[str, Any]:
        booked = self.booked[place]
        return {
            "policy": self.race.policies[place].described(),
            "delta_clv": summary(self.final(place)).to_dict(),
            "ratio_to_random": self._ratio_to_random(place),
            "contacts": summary(booked.contacts).to_dict(),
            "conversions": summary(booked.conversions).to_dict(),
            "cost": summary(booked.cost).to_dict(),
            "by_day": _line(booked.cumulative),
            "actions_by_day": (booked.actions / self.race.replications).tolist(),
        }

    def _ratio_to_random(self, place: int) -> dict[str, Any] | None:
        """Against RandomCrayfish on the same outcomes; None where it does not play."""
        kinds = [policy.described()["kind"] for policy in self.race.policies]
        if "random_crayfish" not in kinds:
            return None
        return ratio(self.final(place), self.final(kinds.index("random_crayfish")))

    def _enumeration(self, known: Enumeration) -> dict[str, Any]:
        """Exact expectations in this very world, to hold the policies against."""
        best = {"arm": self.world.arms.names[known.best], "delta_clv": float(known.arms[known.best])}
        return {
            "uniform": known.uniform,
            "best_single_action": best,
            "oracle": known.oracle,
            "able_to_buy": known.able,
            "by_arm": known.arms.tolist(),
        }


def _line(cumulative: Floats) -> dict[str, list[float]]:
    """The mean over replications by day and the 2.5-97.5 % range of single runs, (t,) each."""
    mean, low, high = band(cumulative.T)
    return {"mean": mean, "low": low, "high": high}
