/** What all pages of one experiment share: its head, and the way between its pages. */

import { get } from "../api.js";
import { address } from "../router.js";
import { h } from "../dom.js";
import { distinct, named } from "./names.js";
import { stateBadge } from "./badges.js";

const TABS = [
  ["Today", null],
  ["Over time", "history"],
  ["Data", "data"],
  ["Settings", "settings"],
];

/** Read an experiment as it stands, to show it. */
export const readExperiment = async (id, signal) => distinct(await get(`/experiments/${id}`, { signal }));

/** The page of an experiment: its head, its tabs, and the content of one of them. */
export function experimentPage(experiment, tab, badges, ...content) {
  const id = experiment.experiment_id;
  return [
    h(
      "div",
      { class: "heading experiment" },
      h("h1", {}, named(experiment.name, id)),
      h("p", { class: "badges" }, stateBadge(experiment), source(experiment), badges),
    ),
    experiment.description && h("p", { class: "lead" }, experiment.description),
    h(
      "nav",
      { class: "tabs", "aria-label": "Of this experiment" },
      TABS.map(([title, part]) =>
        h("a", { href: address("experiments", id, ...(part ? [part] : [])), "aria-current": part === tab ? "page" : null }, title),
      ),
    ),
    ...content,
  ];
}

/** Where a tracked experiment's own decisions are judged. */
export const replayAddress = (id) => `#/replay?experiment=${id}`;

const SOURCES = { tracked: "Tracked", reported: "Reported" };

const source = (experiment) =>
  experiment.source && h("span", { class: "badge", title: "Where its totals come from" }, SOURCES[experiment.source] ?? experiment.source);
