"""The service and the simulator decide the same shares from the same days."""

import numpy as np
import pytest

from app.simulation.email import EmailPolicyChoice, EmailScenario, campaign, play

KINDS = [
    EmailPolicyChoice("thompson"),
    EmailPolicyChoice("top_two_thompson", {"beta": 0.6}),
    EmailPolicyChoice("epsilon_greedy", {"epsilon": 0.2}),
    EmailPolicyChoice("ucb1"),
]
SUBJECTS = ("early", "late", "never")


@pytest.fixture
def mornings(monkeypatch):
    """What the simulator decided each morning: e-mails and conversions so far, and the day's shares."""
    noted = []

    class Noted(campaign.DailyPlay):
        def begin_day(self, sent, won):
            super().begin_day(sent, won)
            noted.append((sent[:, 0].copy(), won[:, 0].copy(), self.shares[0].copy()))

    monkeypatch.setattr(campaign, "DailyPlay", Noted)
    return noted


@pytest.mark.parametrize("choice", KINDS, ids=lambda choice: choice.kind)
def test_a_campaign_gets_the_same_shares_from_the_service_day_by_day(client, clock, mornings, choice):
    rates = (0.10, 0.14, 0.05)
    scenario = EmailScenario(
        subjects=SUBJECTS, rates=rates, emails=6000, days=12, cadence="daily", policies=(choice,),
        replications=1, min_share=0.02, prior=(2.0, 8.0),
    )  # fmt: skip
    play(scenario)
    settings = {
        "policy": {"kind": choice.kind, **choice.parameters},
        "min_share": 2,
        "prior": {"a": 2, "b": 8},
    }
    variants = [{"variant_id": name} for name in SUBJECTS]
    client.post("/experiments", json={"experiment_id": "mail", "variants": variants, **settings})
    assert len(mornings) == 12
    sent, won = np.zeros(3), np.zeros(3)
    for sent_then, won_then, shares in mornings:
        if sent_then.any():
            report(client, clock, sent_then - sent, won_then - won)
            clock.pass_days(1)
        sent, won = sent_then, won_then
        served = client.get("/allocations/mail").json()["allocations"]
        assert list(served.values()) == (shares * 100).round(4).tolist()


def report(client, clock, sent, won):
    totals = [
        {
            "experiment_id": "mail",
            "variant_id": name,
            "date": clock().date().isoformat(),
            "impressions": int(n),
            "successes": int(s),
        }
        for name, n, s in zip(SUBJECTS, sent, won, strict=True)
    ]
    assert client.post("/metrics/", json=totals).status_code == 200
