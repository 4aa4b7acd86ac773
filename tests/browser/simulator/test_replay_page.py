"""Evaluation of an uploaded log: estimates with their intervals, and whether the log supports them."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.accessibility import accessibility_problems
from tests.support.browser.simulator_page import draw_every_chart, press_run, run_of
from tests.support.browser.tables import cells, number

ESTIMATES = "Estimates of every policy, with 95 % intervals"
RATES = {"red": 0.1, "blue": 0.3}


def log(propensities: dict[str, float], n: int) -> str:
    """Return a log of n decisions as CSV, drawn with these propensities."""
    rng = np.random.default_rng(5)
    arms = rng.choice(list(propensities), n, p=list(propensities.values()))
    lines = [f"{arm},{propensities[arm]},{int(rng.random() < RATES[arm])}" for arm in arms.tolist()]
    return "\n".join(["arm,propensity,reward", *lines])


def evaluate(page: Page, site: str, text: str) -> None:
    page.goto(f"{site}/#/replay")
    page.get_by_label("Log", exact=True).fill(text)
    press_run(page, "Evaluate")


def test_the_estimates_are_those_of_the_api_and_a_link_shows_them_again(page: Page, site: str) -> None:
    evaluate(page, site, log({"red": 0.5, "blue": 0.5}, 400))
    expect(page.get_by_text("The log supports these estimates.")).to_be_visible()
    run = run_of(page)
    names = ["Uniform", "Always blue", "Always red"]
    for address in (None, page.url):
        if address:
            page.goto("about:blank")
            page.goto(address)
        rows = cells(page, ESTIMATES)
        for name, evaluated in zip(names, run["policies"], strict=True):
            for way, shown in zip(("ips", "snips", "dr"), rows[name], strict=False):
                mean, low, high = (float(text) for text in re.findall(r"-?\d+\.?\d*", shown))
                found = evaluated["estimates"][way]
                assert [mean, low, high] == pytest.approx(
                    [found["mean"], *found["interval_95"]], rel=6e-3, abs=1e-9
                )
            assert number(rows[name][3]) == pytest.approx(evaluated["estimates"]["ess"], abs=0.06)
    draw_every_chart(page)
    assert accessibility_problems(page) == {}


def test_a_log_that_does_not_support_the_estimates_is_reported(page: Page, site: str) -> None:
    evaluate(page, site, log({"red": 0.99, "blue": 0.01}, 300))
    warning = page.get_by_role("alert", name="Warnings")
    expect(warning).to_contain_text("Do not rely on some of these estimates.")
    (evaluated,) = (one for one in run_of(page)["policies"] if one["policy"].get("arm") == 0)
    for sentence in evaluated["estimates"]["warnings"]:
        expect(warning).to_contain_text(
            f"Always blue: {sentence}" if sentence.startswith("the eff") else sentence
        )
    assert "doubtful" in " ".join(cells(page, ESTIMATES))


def test_a_policy_that_learns_is_replayed_by_rejection(page: Page, site: str) -> None:
    page.goto(f"{site}/#/replay")
    rows = [line.split(",") for line in log({"red": 0.5, "blue": 0.5}, 300).splitlines()[1:]]
    lines = [json.dumps({"arm": a, "propensity": float(p), "reward": int(r)}) for a, p, r in rows]
    file = {"name": "log.ndjson", "mimeType": "application/x-ndjson", "buffer": "\n".join(lines).encode()}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Add a policy").click()
    press_run(page, "Evaluate")
    shown = cells(page, "Policies that learn, replayed by rejection")["Thompson"]
    (evaluated,) = run_of(page)["policies"]
    assert number(shown[0]) == pytest.approx(evaluated["rejection"]["mean"], rel=6e-3)
    assert number(shown[2]) == pytest.approx(evaluated["rejection"]["kept"]["mean"], abs=0.06)


def test_unreadable_lines_are_reported_at_the_log(page: Page, site: str) -> None:
    evaluate(page, site, "arm,propensity,reward\nred,0.5,1\nblue,7,0\n")
    field = page.locator(".field").filter(has=page.get_by_label("Log", exact=True))
    expect(field.locator(".error")).to_contain_text("Line 3: the propensity must be in (0, 1]")
    expect(page.get_by_label("Log", exact=True)).to_be_focused()
