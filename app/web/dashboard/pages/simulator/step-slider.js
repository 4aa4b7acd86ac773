/** One campaign step by step, with both worlds side by side. */

import { chart, variantColour } from "../../components/charts/chart.js";
import { h, uniqueId } from "../../dom.js";
import { count, percent } from "../../format.js";

const STEP_EVERY = 60; // milliseconds between two steps of the animation

/** A slider over the steps of one replication, with what each world has achieved by then. */
export function stepSlider(run, worlds, signal) {
  const last = run.emails_at.length - 1;
  const id = uniqueId("step");
  const views = new Map();
  const tiles = worlds.map((world) => stepTiles(world, run));
  const position = h("output", { for: id });
  const slider = h("input", { type: "range", id, min: 0, max: last, value: last, oninput: () => (stop(), move(Number(slider.value))) });
  const button = h("button", { type: "button", onclick: () => (timer ? stop() : play()) }, "Play");
  let timer = null;
  let due = false;
  const element = h(
    "section",
    { class: "panel replay", "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, "Replay one campaign"),
    h("div", { class: "controls" }, button, h("label", { for: id }, "After"), slider, position),
    h("div", { class: "grid" }, worlds.map((world, i) => h("div", { class: "stack" }, tiles[i].element, pathChart(world, run, signal, (view) => (views.set(i, view), draw()))))),
  );
  signal.addEventListener("abort", () => stop());
  move(last);
  return element;

  function move(step) {
    slider.value = step;
    const sent = `${count(run.emails_at[step])} e-mails`;
    position.textContent = sent;
    slider.setAttribute("aria-valuetext", sent);
    for (const one of tiles) one.show(step);
    if (!due) requestAnimationFrame(draw);
    due = true;
  }

  /** Draw both charts up to the step, once per frame. */
  function draw() {
    due = false;
    for (const view of views.values()) view.signal("step", run.emails_at[Number(slider.value)]).run();
    element.dataset.step = slider.value;
  }

  function play() {
    if (Number(slider.value) === last) move(0);
    button.textContent = "Pause";
    timer = setInterval(() => (Number(slider.value) < last ? move(Number(slider.value) + 1) : stop()), STEP_EVERY);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  }
}

/** What a world has achieved by a step: conversions, regret and the share of the best subject. */
function stepTiles({ title, policy, result: { one_replication: path } }, run) {
  const tiles = ["Conversions", "Regret", "Share of the best subject"].map((label) => ({ label, value: h("b") }));
  const element = h("div", {}, h("h3", {}, `${title}: ${policy}`), h("dl", { class: "kpis" }, tiles.map(({ label, value }) => h("div", {}, h("dt", {}, label), h("dd", {}, value)))));
  const converted = run.emails_at.map((_, step) => path.conversions.reduce((sum, subject) => sum + subject[step], 0));
  return {
    element,
    show(step) {
      const values = [count(converted[step]), count(path.pseudo_regret[step]), percent(path.top_arm_share[step], 1)];
      tiles.forEach(({ value }, i) => (value.textContent = values[i]));
    },
  };
}

/** Conversions of each subject so far, up to the signal `step`. */
function pathChart({ title, result: { one_replication: path } }, run, signal, whenDrawn) {
  const names = run.subjects.map(({ name }) => name);
  const values = names.flatMap((variant, i) => [{ variant, emails: 0, conversions: 0 }, ...run.emails_at.map((emails, step) => ({ variant, emails, conversions: path.conversions[i][step] }))]);
  const max = Math.max(...[run.even_split, ...run.policies].flatMap(({ one_replication }) => one_replication.conversions.map((subject) => subject.at(-1))));
  const every = Math.ceil(run.emails_at.length / 20);
  return chart(
    `Conversions by subject: ${title.toLowerCase()}`,
    {
      data: { values },
      height: 275,
      params: [{ name: "step", value: run.emails_at.at(-1) }],
      transform: [{ filter: "datum.emails <= step" }],
      mark: { type: "line", strokeWidth: 2 },
      encoding: {
        x: { field: "emails", type: "quantitative", title: "e-mails sent", scale: { domain: [0, run.emails_at.at(-1)], nice: false }, axis: { tickCount: 5 } },
        y: { field: "conversions", type: "quantitative", title: "conversions", scale: { domain: [0, max] }, axis: { tickCount: 5 } },
        color: variantColour(names),
      },
    },
    {
      summary: `One campaign; it ends at ${names.map((name, i) => `${name} ${count(path.conversions[i].at(-1))}`).join(", ")}.`,
      signal,
      whenDrawn,
      data: {
        columns: [{ title: "E-mails", of: ({ emails }) => count(emails) }, ...names.map((name, i) => ({ title: name, numeric: true, of: ({ step }) => count(path.conversions[i][step]) }))],
        rows: run.emails_at.map((emails, step) => ({ emails, step })).filter(({ step }) => (step + 1) % every === 0),
      },
    },
  );
}
