"""The e-mail world: which subject line converts best; nothing of the telco world."""

from app.simulation.email.drift import ChangePoint, RandomWalk
from app.simulation.email.play import play, work
from app.simulation.email.result import EmailResult, PolicyResult
from app.simulation.email.scenario import SUBJECTS, EmailPolicyChoice, EmailScenario

__all__ = [
    "SUBJECTS",
    "ChangePoint",
    "EmailPolicyChoice",
    "EmailResult",
    "EmailScenario",
    "PolicyResult",
    "RandomWalk",
    "play",
    "work",
]
