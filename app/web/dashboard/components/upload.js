/** Daily totals as CSV: pasted, dropped or chosen; then what was stored, and which lines were refused. */

import { postText } from "../api.js";
import { address } from "../router.js";
import { h, replace, uniqueId } from "../dom.js";
import { count, plural } from "../format.js";
import { sentence } from "./states.js";
import { table } from "./table.js";
import { textOrFile } from "./text-or-file.js";

const HEADER = "experiment_id,variant_id,date,impressions,successes";

/** A panel to send a CSV with. `example` is the experiment that the example names. */
export function uploadPanel({ signal, example = "homepage_test" }) {
  const id = uniqueId("csv");
  const area = h("textarea", { id, rows: 6, spellcheck: "false", placeholder: `${HEADER}\n${example},control,2026-03-10,1000,120`, "aria-describedby": `${id}-hint` });
  const outcome = h("div", { "aria-live": "polite" });
  const send = h("button", { class: "primary" }, "Store these totals");
  const csv = textOrFile(area, { accept: ".csv,text/csv", ready: () => send.focus() });
  return csv.target(h(
    "section",
    { class: "panel upload", "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, "Send daily totals"),
    h(
      "form",
      { onsubmit: store },
      h("label", { for: id }, "CSV"),
      area,
      csv.note,
      h("p", { class: "hint", id: `${id}-hint` }, "Paste it, or drop a file here. The first line names the columns: ", h("code", {}, HEADER), " and, where there is value, ", h("code", {}, "revenue,revenue_sq"), ". A day sent again replaces what was stored; good lines are stored even if others are refused."),
      h("p", { class: "buttons" }, send, csv.button),
    ),
    outcome,
  ));

  async function store(event) {
    event.preventDefault();
    const content = csv.content();
    if (typeof content === "string" && !content.trim()) return replace(outcome, h("p", { class: "notice bad" }, "There is nothing to store yet: paste a CSV or choose a file."));
    send.disabled = true;
    replace(outcome, h("p", { class: "notice" }, "The totals are being sent and stored…"));
    try {
      const stored = await postText("/metrics/bulk", content, "text/csv", { query: { mode: "partial" }, signal });
      replace(outcome, report(stored, named(await csv.beginning())));
    } catch (error) {
      if (error.name !== "AbortError") replace(outcome, refusal(error));
    } finally {
      send.disabled = false;
    }
  }
}

/** Why nothing was stored, with what the service finds wrong. */
const refusal = (error) =>
  h("div", { class: "notice bad" }, h("p", {}, sentence(error)), error.fields?.length ? h("ul", {}, error.fields.map(({ message, line }) => h("li", {}, `${line ? `Line ${line}: ` : ""}${message}.`))) : null);

function report(stored, experiments) {
  const { received, inserted, updated, unchanged, superseded, rejected, errors } = stored;
  const parts = [
    [inserted, "new"],
    [updated, "replaced"],
    [unchanged, "known already"],
    [superseded, "superseded by a later line"],
    [rejected, "refused"],
  ].filter(([number]) => number > 0);
  return [
    h(
      "p",
      { class: `notice ${rejected ? "warn" : "good"} report` },
      `${plural(received, "line")} read: ${parts.map(([number, word]) => `${count(number)} ${word}`).join(", ") || "none stored"}.`,
    ),
    experiments.length > 0 && inserted + updated > 0 && h("p", { class: "next" }, "Look at", experiments.map((id) => h("a", { href: address("experiments", id) }, id))),
    rejected > 0 &&
      table(
        rejected > errors.length ? `The first ${errors.length} of ${rejected} refused lines` : "Refused lines",
        [
          { title: "Line", of: ({ line }) => line },
          { title: "Field", of: ({ field }) => (field ? h("code", {}, field) : "") },
          { title: "Why", of: ({ message }) => message },
        ],
        errors,
        { visibleCaption: true },
      ),
  ];
}

/** The experiments that a CSV names, a few of them: where to look next. */
function named(text) {
  const [header, ...lines] = text.trim().split(/\r?\n/, 2000);
  const place = header.split(",").map((name) => name.trim()).indexOf("experiment_id");
  const ids = place < 0 ? [] : lines.map((line) => line.split(",")[place]?.trim()).filter((id) => /^[A-Za-z0-9][\w.-]*$/.test(id ?? ""));
  return [...new Set(ids)].slice(0, 5);
}
