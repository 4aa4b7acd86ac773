/** What all pages of one experiment share: its header and its tabs. */

import { address } from "../../addresses.js";
import { get } from "../../api.js";
import { h } from "../../dom.js";
import { stateBadge } from "./badges.js";
import { nameWithId, withDistinctNames } from "./names.js";

const TABS = [
  ["Today", null],
  ["Over time", "history"],
  ["Data", "data"],
  ["Settings", "settings"],
];

/** Read an experiment, to show it. */
export const readExperiment = async (id, signal) => withDistinctNames(await get(`/experiments/${id}`, { signal }));

/** A page of an experiment: its header, its tabs, and the content of one of them. */
export function experimentPage(experiment, tab, badges, ...content) {
  const id = experiment.experiment_id;
  return [
    h(
      "div",
      { class: "heading experiment" },
      h("h1", {}, nameWithId(experiment.name, id)),
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

/** The page that evaluates other policies on a tracked experiment's decisions. */
export const replayAddress = (id) => `#/replay?experiment=${id}`;

const SOURCES = { tracked: "Tracked", reported: "Reported" };

const source = (experiment) =>
  experiment.source && h("span", { class: "badge", title: "Source of its totals" }, SOURCES[experiment.source] ?? experiment.source);
