"""The race as a whole: the same bytes anywhere, figures that add up."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from app.simulation.clv.play import combined, play, play_block
from app.simulation.clv.policies.registry import preset
from app.simulation.clv.race.race import Race
from app.simulation.clv.world.scenario import Scenario
from app.simulation.replication_statistics import ratio
from tests.support.simulation.clv_policies import ByCustomer

RACE = Race(scenario=Scenario(customers=3_000, days=40, quota=30), replications=12)
DIGEST = """
import hashlib, json
from app.simulation.clv.play import play
from app.simulation.clv.race.race import Race
from app.simulation.clv.world.scenario import Scenario
race = Race(scenario=Scenario(customers=3_000, days=40, quota=30), replications=12)
print(hashlib.sha256(json.dumps(play(race).to_dict()).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def result():
    return play(RACE)


@pytest.fixture(scope="module")
def answer(result):
    return result.to_dict()


def test_another_process_gives_the_same_bytes(answer):
    other = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True).stdout
    assert other.strip() == hashlib.sha256(json.dumps(answer).encode()).hexdigest()


def test_a_policys_place_in_the_list_changes_nothing(answer):
    turned = play(replace(RACE, policies=RACE.policies[::-1])).to_dict()["policies"][::-1]
    assert turned == answer["policies"]


def test_a_policy_earns_the_same_alone(answer):
    alone = play(replace(RACE, policies=RACE.policies[:1])).to_dict()["policies"][0]
    assert alone == answer["policies"][0]


def test_blocks_can_be_played_in_any_order(answer):
    second, first = play_block(RACE, 1), play_block(RACE, 0)
    assert combined(RACE, [first, second]).to_dict() == answer


def test_two_policies_that_decide_alike_earn_alike():
    choice = np.arange(3_000) % 20
    twins = ByCustomer(choice, "one"), ByCustomer(choice, "other")
    both = play(replace(RACE, policies=twins))
    assert (both.final(0) == both.final(1)).all()
    assert np.unique(both.final(0)).size > 1


def test_progress_counts_to_the_end_and_may_stop_the_race():
    reported = []
    play(replace(RACE, policies=preset()[:2]), lambda done, total: reported.append((done, total)))
    assert reported == [(done, 2 * 2 * 40) for done in range(1, 161)]
    with pytest.raises(InterruptedError):
        play(RACE, lambda done, total: (_ for _ in ()).throw(InterruptedError))


def test_the_answer_is_plain_json_without_missing_numbers(answer):
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert json.dumps(play(replace(RACE, replications=1)).to_dict(), allow_nan=False)


def test_lines_end_at_the_final_values_and_actions_add_up_to_contacts(answer):
    for policy in answer["policies"]:
        assert policy["by_day"]["mean"][-1] == pytest.approx(policy["delta_clv"]["mean"])
        assert np.sum(policy["actions_by_day"]) == pytest.approx(policy["contacts"]["mean"])
        assert len(policy["by_day"]["low"]) == 40


def test_the_portrait_counts_every_customer_once(answer):
    assert sum(product["customers"] for product in answer["products"]) == 3_000
    assert sum(answer["lifetime_value"]["customers"]) == 3_000
    assert answer["lifetime_value"]["bronze_below"] < answer["lifetime_value"]["gold_above"]


def test_the_portrait_takes_every_arm_apart(answer):
    assert [action["name"] for action in answer["actions"]] == answer["arms"]
    on_sale = [product["name"] for product in answer["products"] if product["sold_until"] is None]
    assert list(dict.fromkeys(action["product"] for action in answer["actions"])) == on_sale
    assert {(action["channel"], action["cost"]) for action in answer["actions"]} == {
        ("call", 3.0),
        ("e-mail", 0.0),
    }


def test_a_ratio_to_itself_is_exactly_one_and_to_a_loss_is_none():
    figures = np.array([1.0, 2.0, 4.0])
    assert ratio(figures, figures) == {"mean": 1.0, "interval_95": [1.0, 1.0]}
    assert ratio(figures, -figures) is None


def test_an_interim_result_has_the_means_of_the_days_played():
    """On each day of the last block of replications it is what the whole race's means say of the days so far."""
    reported = []
    result = play(RACE, on_interim_result=lambda compute: reported.append(compute())).to_dict()
    for day in (1, 17, 40):
        interim = reported[40 + day - 1]
        assert interim["days"] == list(range(1, 41))
        for line, policy in zip(interim["policies"], result["policies"], strict=True):
            assert line[:day] == pytest.approx(policy["by_day"]["mean"][:day], abs=0.006)


def test_where_customers_are_contacted_again_the_policies_stand_one_after_another():
    reported = []
    scenario = replace(RACE.scenario, recontact_days=21)
    again = replace(RACE, scenario=scenario, policies=preset()[:2], replications=2)
    play(
        again,
        on_interim_result=lambda compute: reported.append([len(line) for line in compute()["policies"]]),
    )
    assert reported == [[day, 0] for day in range(1, 41)] + [[40, day] for day in range(1, 41)]
