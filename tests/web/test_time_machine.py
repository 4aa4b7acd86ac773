"""The bandit time machine: two worlds of one campaign, and a link that shows the same."""

import re
from statistics import median

import pytest
from playwright.sync_api import Page, expect

from tests.web.played import cells, draw_every_chart, faults, number, played_link, press_play, run_of

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
    """The link to a small campaign that was played."""
    return played_link(site, "email", "time-machine", SMALL)


@pytest.fixture
def played(page: Page, campaign: str) -> Page:
    """A small campaign, shown by its link."""
    page.goto(campaign)
    expect(page.locator(".improvement")).to_be_visible()
    return page


def test_the_two_worlds_show_the_figures_of_the_api(played: Page) -> None:
    run = run_of(played)
    thompson, even = run["policies"][0], run["even_split"]
    worlds = {"What happened": even, "What could have happened": thompson}
    for title, world in worlds.items():
        panel = played.get_by_role("region", name=title)
        sent, conversions, rate = panel.locator(".kpis b").all_inner_texts()
        assert number(sent) == 600
        assert number(conversions) == pytest.approx(world["conversions"]["mean"], abs=0.5)
        assert number(rate) / 100 == pytest.approx(world["rate"], abs=5e-5)
    rows = cells(played, "Every subject in both worlds")
    for subject, before, after in zip(run["subjects"], even["subjects"], thompson["subjects"], strict=True):
        row = [number(text) for text in rows[subject["name"]]]
        expected = [before["sent"], before["conversions"], after["sent"], after["conversions"]]
        assert [row[i] for i in (1, 2, 4, 5)] == pytest.approx(expected, abs=0.06)
        assert row[7] / 100 == pytest.approx(after["share"], abs=6e-4)


def test_the_improvement_is_one_figure_with_its_sign_and_its_interval(played: Page) -> None:
    lift = run_of(played)["policies"][0]["lift"]
    shown = played.get_by_role("region", name="Improvement")
    assert number(shown.locator("b").inner_text()) / 100 == pytest.approx(lift["mean"], abs=6e-4)
    assert shown.locator("b").inner_text()[0] == ("+" if lift["mean"] > 0 else "-")
    low, high = re.findall(r"([-+][\d.]+)%", shown.inner_text().partition("interval")[2])[:2]
    assert [float(low) / 100, float(high) / 100] == pytest.approx(lift["interval_95"], abs=6e-4)


def test_a_policy_that_does_worse_is_said_to_do_worse(page: Page, site: str) -> None:
    worst = '[{"kind":"fixed","shares":[0,1]}]'
    page.goto(f"{site}/#/time-machine?emails=200&replications=3&rates=[0.9,0.1]&policies={worst}")
    shown = page.get_by_role("region", name="Improvement")
    expect(shown).to_contain_text("fewer than the even split")
    assert shown.locator("b").inner_text().startswith("-")


def test_every_chart_is_drawn_with_its_table_and_everybody_can_use_the_page(played: Page) -> None:
    assert draw_every_chart(played) == 6
    assert faults(played) == {}


def test_the_slider_goes_through_one_campaign(played: Page, record_property) -> None:
    run = run_of(played)
    draw_every_chart(played)
    slider = played.get_by_role("slider")
    for key, step in (("Home", 0), ("ArrowRight", 1), ("End", -1)):
        slider.press(key)
        for title, world in (("What happened", run["even_split"]), ("What could", run["policies"][0])):
            path = world["one_replication"]
            shown = played.locator(".replay .stack").filter(has_text=title).locator(".kpis b")
            conversions, regret, to_best = (number(text) for text in shown.all_inner_texts())
            assert conversions == sum(subject[step] for subject in path["conversions"])
            assert regret == pytest.approx(path["pseudo_regret"][step], abs=0.06)
            assert to_best / 100 == pytest.approx(path["top_arm_share"][step], abs=6e-4)
    milliseconds = median(slider.evaluate(STEPS))
    record_property("median of a slider's step, ms", round(milliseconds, 1))
    print(f"median of a slider's step: {milliseconds:.1f} ms")  # noqa: T201 - a figure to look at, not to fail by


def test_the_campaign_is_replayed_by_a_button(played: Page) -> None:
    replay = played.get_by_role("region", name="Replay one campaign")
    replay.get_by_role("slider").fill("90")
    expect(replay.locator("output")).to_have_text("546 e-mails")
    replay.get_by_role("button", name="Play").click()
    expect(replay.get_by_role("button", name="Pause")).to_be_visible()
    expect(replay.get_by_role("button", name="Play")).to_be_visible()
    expect(replay.locator("output")).to_have_text("600 e-mails")


def test_any_policy_can_be_looked_at_and_all_lie_over_each_other(played: Page) -> None:
    run = run_of(played)
    assert set(cells(played, "Everybody who played, the most conversions first")) == {
        "Thompson", "Epsilon-greedy", "Even split"
    }  # fmt: skip
    played.get_by_label("What could have happened with").select_option("Epsilon-greedy")
    shown = played.get_by_role("region", name="What could have happened").locator(".kpis b").nth(1)
    assert number(shown.inner_text()) == pytest.approx(run["policies"][1]["conversions"]["mean"], abs=0.5)


def test_another_parameter_marks_the_results_as_old_until_it_is_taken_back(played: Page) -> None:
    old = played.locator(".old")
    expect(old).to_be_hidden()
    epsilon = played.get_by_label("Epsilon", exact=True)
    epsilon.fill("0.3")
    expect(old).to_contain_text("belong to other parameters")
    epsilon.fill("0.1")
    expect(old).to_be_hidden()
    epsilon.fill("0.3")
    press_play(played)
    expect(old).to_be_hidden()
    played.wait_for_url(re.compile("epsilon"))
    assert run_of(played)["request"]["policies"][1] == {"kind": "epsilon_greedy", "epsilon": 0.3}


def test_a_link_shows_the_same_run_and_plays_it_again_where_it_is_gone(played: Page) -> None:
    run, address = run_of(played), played.url
    headline = played.locator(".improvement p").inner_text()
    for link in (address, address.replace(run["id"], "0" * 32)):
        played.goto("about:blank")
        played.goto(link)
        expect(played.locator(".improvement p")).to_have_text(headline)
        expect(played.get_by_label("E-mails")).to_have_value("600")
    assert run_of(played)["id"] != run["id"]


def test_policies_come_and_go_with_all_that_can_be_set_of_them(page: Page, site: str) -> None:
    page.goto(f"{site}/#/time-machine")
    expect(page.get_by_text("Nothing was played yet")).to_be_visible()
    page.get_by_role("button", name="Add a policy").click()
    page.get_by_role("group", name="Policy 3").get_by_label("Policy", exact=True).select_option("ucb1")
    page.get_by_role("button", name="Take policy 1 away").click()
    page.get_by_label("E-mails").fill("300")
    press_play(page)
    expect(page.locator(".improvement")).to_be_visible()
    asked = run_of(page)["request"]
    assert [policy["kind"] for policy in asked["policies"]] == ["epsilon_greedy", "ucb1"]
    assert asked["emails"] == 300


def test_every_other_parameter_is_a_control_that_has_an_effect(page: Page, site: str) -> None:
    page.goto(f"{site}/#/time-machine?emails=200&replications=2")
    expect(page.locator(".improvement")).to_be_visible()
    page.get_by_text("Every other parameter").click()
    page.get_by_label("Subjects").fill("Red\nGreen")
    page.get_by_label("Rates").first.fill("0.2, 0.4")
    page.get_by_label("Drift").select_option("change points")
    page.get_by_role("group", name="Points").get_by_role("button", name="Add one").click()
    page.get_by_label("After so many e-mails").fill("100")
    page.get_by_role("group", name="Points 1").get_by_label("Rates").fill("0.4, 0.2")
    page.get_by_label("Cost per e-mail").fill("0.01")
    page.get_by_label("Value per conversion").fill("5, 6")
    page.get_by_role("group", name="Prior").get_by_label("Failures").fill("9")
    press_play(page)
    page.wait_for_url(re.compile("drift=.*run="))
    expect(page.locator(".old")).to_be_hidden()
    asked = run_of(page)["request"]
    assert asked["subjects"] == ["Red", "Green"]
    assert asked["drift"] == {"kind": "change_points", "points": [{"at": 100, "rates": [0.4, 0.2]}]}
    assert (asked["cost_per_email"], asked["value_per_conversion"]) == (0.01, [5, 6])
    assert asked["prior"] == {"a": 1, "b": 9}
    names = page.locator("[data-field]").evaluate_all(
        "all => all.map(one => one.dataset.field.split('.')[0])"
    )
    assert set(names) == set(asked)
    page.get_by_role("link", name="Back to the preset").click()
    expect(page.get_by_label("E-mails", exact=True)).to_have_value("10000")


def test_nonsense_is_refused_beside_the_fields_by_the_api(page: Page, site: str) -> None:
    page.goto(f"{site}/#/time-machine")
    page.get_by_label("E-mails").fill("-5")
    page.get_by_label("Epsilon", exact=True).fill("7")
    page.get_by_text("Every other parameter").click()
    page.get_by_label("Holdout percent").fill("200")
    press_play(page)
    field = page.locator(".field").filter(has=page.get_by_label("E-mails"))
    expect(field.locator(".fault")).to_contain_text("greater than or equal to 1")
    expect(page.get_by_label("Holdout percent")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("E-mails").fill("100")
    page.get_by_label("Holdout percent").fill("0")
    press_play(page)
    expect(page.get_by_role("group", name="Policy 2").locator(".fault").first).to_contain_text("[0, 1]")
