/** Every recorded allocation of an experiment, as a table and as CSV. */

import { csvButton } from "../../components/data/csv-download.js";
import { table } from "../../components/data/table.js";
import { gateName } from "../../components/experiment/badges.js";
import { h } from "../../dom.js";
import { share, timestamp } from "../../format.js";
import { DATE_COLUMN } from "./date-axis.js";

/** A panel with the revisions; the table has the drawn variants, the CSV all. */
export function revisionsPanel({ experiment_id, variants: every }, variants, revisions) {
  const ids = every.map(({ variant_id }) => variant_id);
  const header = ["date", "sequence", "revision", "recorded_at", "gates", ...ids.map((id) => `share_${id}`), ...ids.map((id) => `p_best_${id}`), "value_remaining"];
  const rows = () =>
    revisions.map((one) => [
      one.date, one.sequence, one.revision, one.recorded_at, one.gates.join(" "),
      ...ids.map((id) => one.allocations[id]), ...ids.map((id) => one.p_best[id]), one.value_remaining,
    ]);
  return h(
    "section",
    { class: "panel wide", "aria-labelledby": "revisions" },
    h("div", { class: "panel-head" }, h("h3", { id: "revisions" }, "Recorded allocations"), csvButton("Download as CSV", `${experiment_id}-history.csv`, () => [header, rows()])),
    table(
      "Recorded revisions, the newest first",
      [
        DATE_COLUMN,
        { title: "No.", numeric: true, of: ({ sequence }) => sequence },
        { title: "Revision", of: ({ revision }) => h("code", {}, revision) },
        { title: "Recorded at", of: ({ recorded_at }) => timestamp(recorded_at) },
        ...variants.ids.map((id) => ({ title: variants.name(id), numeric: true, of: ({ allocations }) => share(allocations[id]) })),
        { title: "Gates", of: ({ gates }) => gates.map(gateName).join(", ") || "none" },
      ],
      revisions,
    ),
  );
}
