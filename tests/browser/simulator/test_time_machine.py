"""The bandit time machine: two worlds of one campaign, and a link that shows the same."""

import re
from statistics import median

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.accessibility import accessibility_problems
from tests.support.browser.simulator_page import draw_every_chart, link_to_run, press_run, run_of
from tests.support.browser.tables import cells, number

SMALL = "emails=600&replications=3&days=3"
STEPS = """async slider => {
  const times = [];
  for (let step = 0; step <= Number(slider.max); step++) {
    const from = performance.now();
    slider.value = step;
    slider.dispatchEvent(new Event("input"));
    await new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)));
    times.push(performance.now() - from);
  }
  return times;
}"""


@pytest.fixture(scope="module")
def campaign(site: str) -> str:
    """The link to a small campaign."""
    return link_to_run(site, "email", "time-machine", SMALL)


@pytest.fixture
def finished(page: Page, campaign: str) -> Page:
    """The page of a small campaign, opened by its link."""
    page.goto(campaign)
    expect(page.locator(".improvement")).to_be_visible()
    return page


def test_the_two_worlds_show_the_numbers_of_the_api(finished: Page) -> None:
    run = run_of(finished)
    thompson, even = run["policies"][0], run["even_split"]
    worlds = {"What happened": even, "What could have happened": thompson}
    for title, world in worlds.items():
        panel = finished.get_by_role("region", name=title)
        sent, conversions, rate = panel.locator(".kpis b").all_inner_texts()
        assert number(sent) == 600
        assert number(conversions) == pytest.approx(world["conversions"]["mean"], abs=0.5)
        assert number(rate) / 100 == pytest.approx(world["rate"], abs=5e-5)
    rows = cells(finished, "Every subject in both worlds")
    for subject, before, after in zip(run["subjects"], even["subjects"], thompson["subjects"], strict=True):
        row = [number(text) for text in rows[subject["name"]]]
        expected = [before["sent"], before["conversions"], after["sent"], after["conversions"]]
        assert [row[i] for i in (1, 2, 4, 5)] == pytest.approx(expected, abs=0.06)
        assert row[7] / 100 == pytest.approx(after["share"], abs=6e-4)


def test_the_improvement_is_shown_with_its_sign_and_its_interval(finished: Page) -> None:
    lift = run_of(finished)["policies"][0]["lift"]
    shown = finished.get_by_role("region", name="Improvement")
    assert number(shown.locator("b").inner_text()) / 100 == pytest.approx(lift["mean"], abs=6e-4)
    assert shown.locator("b").inner_text()[0] == ("+" if lift["mean"] > 0 else "-")
    low, high = re.findall(r"([-+][\d.]+)%", shown.inner_text().partition("interval")[2])[:2]
    assert [float(low) / 100, float(high) / 100] == pytest.approx(lift["interval_95"], abs=6e-4)


def test_a_policy_that_does_worse_is_reported_to_do_worse(page: Page, site: str) -> None:
    worst = '[{"kind":"fixed","shares":[0,1]}]'
    page.goto(f"{site}/#/time-machine?emails=200&replications=3&rates=[0.9,0.1]&policies={worst}")
    shown = page.get_by_role("region", name="Improvement")
    expect(shown).to_contain_text("fewer than the even split")
    assert shown.locator("b").inner_text().startswith("-")


def test_every_chart_is_drawn_with_its_table_and_the_page_is_accessible(finished: Page) -> None:
    assert draw_every_chart(finished) == 6
    assert accessibility_problems(finished) == {}


def test_the_slider_steps_through_one_campaign(finished: Page, record_property) -> None:
    run = run_of(finished)
    draw_every_chart(finished)
    slider = finished.get_by_role("slider")
    for key, step in (("Home", 0), ("ArrowRight", 1), ("End", -1)):
        slider.press(key)
        for title, world in (("What happened", run["even_split"]), ("What could", run["policies"][0])):
            path = world["one_replication"]
            shown = finished.locator(".replay .stack").filter(has_text=title).locator(".kpis b")
            conversions, regret, to_best = (number(text) for text in shown.all_inner_texts())
            assert conversions == sum(subject[step] for subject in path["conversions"])
            assert regret == pytest.approx(path["pseudo_regret"][step], abs=0.06)
            assert to_best / 100 == pytest.approx(path["top_arm_share"][step], abs=6e-4)
    milliseconds = median(slider.evaluate(STEPS))
    record_property("median of a slider's step, ms", round(milliseconds, 1))
    print(f"median of a slider's step: {milliseconds:.1f} ms")  # noqa: T201 - a measurement, not a threshold


def test_the_campaign_is_replayed_by_a_button(finished: Page) -> None:
    replay = finished.get_by_role("region", name="Replay one campaign")
    replay.get_by_role("slider").fill("90")
    expect(replay.locator("output")).to_have_text("546 e-mails")
    replay.get_by_role("button", name="Play").click()
    expect(replay.get_by_role("button", name="Pause")).to_be_visible()
    expect(replay.get_by_role("button", name="Play")).to_be_visible()
    expect(replay.locator("output")).to_have_text("600 e-mails")


def test_every_policy_can_be_shown_and_all_are_compared(finished: Page) -> None:
    run = run_of(finished)
    assert set(cells(finished, "All policies, the most conversions first")) == {
        "Thompson", "Epsilon-greedy", "Even split"
    }  # fmt: skip
    finished.get_by_label("What could have happened with").select_option("Epsilon-greedy")
    shown = finished.get_by_role("region", name="What could have happened").locator(".kpis b").nth(1)
    assert number(shown.inner_text()) == pytest.approx(run["policies"][1]["conversions"]["mean"], abs=0.5)


def test_changed_parameters_mark_the_results_as_outdated_until_they_are_restored(finished: Page) -> None:
    outdated = finished.locator(".outdated")
    expect(outdated).to_be_hidden()
    epsilon = finished.get_by_label("Epsilon", exact=True)
    epsilon.fill("0.3")
    expect(outdated).to_contain_text("those of other parameters")
    epsilon.fill("0.1")
    expect(outdated).to_be_hidden()
    epsilon.fill("0.3")
    press_run(finished)
    expect(outdated).to_be_hidden()
    finished.wait_for_url(re.compile("epsilon"))
    assert run_of(finished)["request"]["policies"][1] == {"kind": "epsilon_greedy", "epsilon": 0.3}


def test_a_link_shows_the_same_run_and_starts_it_again_if_it_is_missing(finished: Page) -> None:
    run, address = run_of(finished), finished.url
    headline = finished.locator(".improvement p").inner_text()
    for link in (address, address.replace(run["id"], "0" * 32)):
        finished.goto("about:blank")
        finished.goto(link)
        expect(finished.locator(".improvement p")).to_have_text(headline)
        expect(finished.get_by_label("E-mails")).to_have_value("600")
    assert run_of(finished)["id"] != run["id"]


def test_policies_are_added_and_removed_with_their_parameters(page: Page, site: str) -> None:
    page.goto(f"{site}/#/time-machine")
    expect(page.get_by_text("No run yet")).to_be_visible()
    page.get_by_role("button", name="Add a policy").click()
    page.get_by_role("group", name="Policy 3").get_by_label("Policy", exact=True).select_option("ucb1")
    page.get_by_role("button", name="Remove policy 1").click()
    page.get_by_label("E-mails").fill("300")
    press_run(page)
    expect(page.locator(".improvement")).to_be_visible()
    request = run_of(page)["request"]
    assert [policy["kind"] for policy in request["policies"]] == ["epsilon_greedy", "ucb1"]
    assert request["emails"] == 300


def test_every_other_parameter_is_a_control_that_has_an_effect(page: Page, site: str) -> None:
    page.goto(f"{site}/#/time-machine?emails=200&replications=2")
    expect(page.locator(".improvement")).to_be_visible()
    page.get_by_text("All other parameters").click()
    page.get_by_label("Subjects").fill("Red\nGreen")
    page.get_by_label("Rates").first.fill("0.2, 0.4")
    page.get_by_label("Drift").select_option("change points")
    page.get_by_role("group", name="Points").get_by_role("button", name="Add one").click()
    page.get_by_label("After this many e-mails").fill("100")
    page.get_by_role("group", name="Points 1").get_by_label("Rates").fill("0.4, 0.2")
    page.get_by_label("Cost per e-mail").fill("0.01")
    page.get_by_label("Value per conversion").fill("5, 6")
    page.get_by_role("group", name="Prior").get_by_label("Failures").fill("9")
    press_run(page)
    page.wait_for_url(re.compile("drift=.*run="))
    expect(page.locator(".outdated")).to_be_hidden()
    request = run_of(page)["request"]
    assert request["subjects"] == ["Red", "Green"]
    assert request["drift"] == {"kind": "change_points", "points": [{"at": 100, "rates": [0.4, 0.2]}]}
    assert (request["cost_per_email"], request["value_per_conversion"]) == (0.01, [5, 6])
    assert request["prior"] == {"a": 1, "b": 9}
    names = page.locator("[data-field]").evaluate_all(
        "all => all.map(one => one.dataset.field.split('.')[0])"
    )
    assert set(names) == set(request)
    page.get_by_role("link", name="Reset to the preset").click()
    expect(page.get_by_label("E-mails", exact=True)).to_have_value("10000")


def test_invalid_values_are_reported_at_their_fields(page: Page, site: str) -> None:
    page.goto(f"{site}/#/time-machine")
    page.get_by_label("E-mails").fill("-5")
    page.get_by_label("Epsilon", exact=True).fill("7")
    page.get_by_text("All other parameters").click()
    page.get_by_label("Holdout percent").fill("200")
    press_run(page)
    field = page.locator(".field").filter(has=page.get_by_label("E-mails"))
    expect(field.locator(".error")).to_contain_text("greater than or equal to 1")
    expect(page.get_by_label("Holdout percent")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("E-mails").fill("100")
    page.get_by_label("Holdout percent").fill("0")
    press_run(page)
    expect(page.get_by_role("group", name="Policy 2").locator(".error").first).to_contain_text("[0, 1]")
