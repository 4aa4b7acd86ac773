/** The replay: one campaign step by step, both worlds beside each other. */

import { chart, variantColour } from "../../charts.js";
import { h, uniqueId } from "../../dom.js";
import { count, percent } from "../../format.js";

const PLAY_EVERY = 60; // milliseconds between two steps

/** A slider over the steps of one replication, with what each world came to by then. */
export function replaySlider(run, pair, signal) {
  const last = run.emails_at.length - 1;
  const id = uniqueId("step");
  const views = new Map();
  const worlds = pair.map((world) => stepTiles(world, run));
  const said = h("output", { for: id });
  const slider = h("input", { type: "range", id, min: 0, max: last, value: last, oninput: () => (stop(), move(Number(slider.value))) });
  const button = h("button", { type: "button", onclick: () => (playing ? stop() : play()) }, "Play");
  let playing = null;
  let due = false;
  const element = h(
    "section",
    { class: "panel replay", "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, "Replay one campaign"),
    h("div", { class: "controls" }, button, h("label", { for: id }, "After"), slider, said),
    h("div", { class: "grid" }, pair.map((world, i) => h("div", { class: "stack" }, worlds[i].element, pathChart(world, run, signal, (view) => (views.set(i, view), draw()))))),
  );
  signal.addEventListener("abort", () => stop());
  move(last);
  return element;

  function move(step) {
    slider.value = step;
    const sent = `${count(run.emails_at[step])} e-mails`;
    said.textContent = sent;
    slider.setAttribute("aria-valuetext", sent);
    for (const world of worlds) world.show(step);
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
    playing = setInterval(() => (Number(slider.value) < last ? move(Number(slider.value) + 1) : stop()), PLAY_EVERY);
  }

  function stop() {
    clearInterval(playing);
    playing = null;
    button.textContent = "Play";
  }
}

/** What a world came to by a step: conversions, regret and the best subject's share. */
function stepTiles({ title, who, played: { one_replication: path } }, run) {
  const tiles = ["Conversions", "Regret", "To the best subject"].map((word) => ({ word, figure: h("b") }));
  const element = h("div", {}, h("h3", {}, `${title}: ${who}`), h("dl", { class: "kpis" }, tiles.map(({ word, figure }) => h("div", {}, h("dt", {}, word), h("dd", {}, figure)))));
  const converted = run.emails_at.map((_, step) => path.conversions.reduce((sum, subject) => sum + subject[step], 0));
  return {
    element,
    show(step) {
      const figures = [count(converted[step]), count(path.pseudo_regret[step]), percent(path.top_arm_share[step], 1)];
      tiles.forEach(({ figure }, i) => (figure.textContent = figures[i]));
    },
  };
}

/** Conversions of each subject so far, up to the signal `step`. */
function pathChart({ title, played: { one_replication: path } }, run, signal, whenDrawn) {
  const names = run.subjects.map(({ name }) => name);
  const values = names.flatMap((variant, i) => [{ variant, emails: 0, conversions: 0 }, ...run.emails_at.map((emails, step) => ({ variant, emails, conversions: path.conversions[i][step] }))]);
  const most = Math.max(...[run.even_split, ...run.policies].flatMap(({ one_replication }) => one_replication.conversions.map((subject) => subject.at(-1))));
  const every = Math.ceil(run.emails_at.length / 20);
  return chart(
    `Conversions by subject: ${title.toLowerCase()}`,
    {
      data: { values },
      height: 220,
      params: [{ name: "step", value: run.emails_at.at(-1) }],
      transform: [{ filter: "datum.emails <= step" }],
      mark: { type: "line", strokeWidth: 2 },
      encoding: {
        x: { field: "emails", type: "quantitative", title: "e-mails sent", scale: { domain: [0, run.emails_at.at(-1)], nice: false }, axis: { tickCount: 5 } },
        y: { field: "conversions", type: "quantitative", title: "conversions", scale: { domain: [0, most] }, axis: { tickCount: 5 } },
        color: { ...variantColour(names), legend: null },
      },
    },
    {
      summary: `One campaign; it ends at ${names.map((name, i) => `${name} ${count(path.conversions[i].at(-1))}`).join(", ")}.`,
      signal,
      whenDrawn,
      figures: {
        columns: [{ title: "E-mails", of: ({ emails }) => count(emails) }, ...names.map((name, i) => ({ title: name, figure: true, of: ({ step }) => count(path.conversions[i][step]) }))],
        rows: run.emails_at.map((emails, step) => ({ emails, step })).filter(({ step }) => (step + 1) % every === 0),
      },
    },
  );
}
