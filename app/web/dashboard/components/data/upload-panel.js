/** Uploads daily totals as CSV, then reports what was stored and which lines were rejected. */

import { address } from "../../addresses.js";
import { postText } from "../../api.js";
import { h, replace, uniqueId } from "../../dom.js";
import { count, plural } from "../../format.js";
import { textOrFile } from "../forms/text-or-file.js";
import { sentence } from "../placeholders.js";
import { table } from "./table.js";

const HEADER = "experiment_id,variant_id,date,impressions,successes";

/** A panel to upload a CSV; `example` is the experiment id in its placeholder. */
export function uploadPanel({ signal, example = "homepage_test" }) {
  const id = uniqueId("csv");
  const area = h("textarea", { id, rows: 6, spellcheck: "false", placeholder: `${HEADER}\n${example},control,2026-03-10,1000,120`, "aria-describedby": `${id}-hint` });
  const result = h("div", { "aria-live": "polite" });
  const submit = h("button", { class: "primary" }, "Store these totals");
  const csv = textOrFile(area, { accept: ".csv,text/csv", ready: () => submit.focus() });
  return csv.dropTarget(h(
    "section",
    { class: "panel upload", "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, "Upload daily totals"),
    h(
      "form",
      { onsubmit: store },
      h("label", { for: id }, "CSV"),
      area,
      csv.note,
      h("p", { class: "hint", id: `${id}-hint` }, "Paste it, or drop a file here. The first line names the columns: ", h("code", {}, HEADER), " and, where there is value, ", h("code", {}, "revenue,revenue_sq"), ". A day that is uploaded again replaces the stored one; valid lines are stored even if others are rejected."),
      h("p", { class: "buttons" }, submit, csv.button),
    ),
    result,
  ));

  async function store(event) {
    event.preventDefault();
    const content = csv.content();
    if (typeof content === "string" && !content.trim()) return replace(result, h("p", { class: "notice bad" }, "There is nothing to store yet: paste a CSV or choose a file."));
    submit.disabled = true;
    replace(result, h("p", { class: "notice" }, "The totals are being uploaded and stored…"));
    try {
      const stored = await postText("/metrics/bulk", content, "text/csv", { query: { mode: "partial" }, signal });
      replace(result, report(stored, experimentIds(await csv.beginning())));
    } catch (error) {
      if (error.name !== "AbortError") replace(result, rejection(error));
    } finally {
      submit.disabled = false;
    }
  }
}

/** Why nothing was stored. */
const rejection = (error) =>
  h("div", { class: "notice bad" }, h("p", {}, sentence(error)), error.fields?.length ? h("ul", {}, error.fields.map(({ message, line }) => h("li", {}, `${line ? `Line ${line}: ` : ""}${message}.`))) : null);

function report(stored, experiments) {
  const { received, inserted, updated, unchanged, superseded, rejected, errors } = stored;
  const parts = [
    [inserted, "new"],
    [updated, "replaced"],
    [unchanged, "unchanged"],
    [superseded, "superseded by a later line"],
    [rejected, "rejected"],
  ].filter(([number]) => number > 0);
  return [
    h(
      "p",
      { class: `notice ${rejected ? "warn" : "good"} report` },
      `${plural(received, "line")} read: ${parts.map(([number, label]) => `${count(number)} ${label}`).join(", ") || "none stored"}.`,
    ),
    experiments.length > 0 && inserted + updated > 0 && h("p", { class: "next" }, "Show", experiments.map((id) => h("a", { href: address("experiments", id) }, id))),
    rejected > 0 &&
      table(
        rejected > errors.length ? `The first ${errors.length} of ${rejected} rejected lines` : "Rejected lines",
        [
          { title: "Line", of: ({ line }) => line },
          { title: "Field", of: ({ field }) => (field ? h("code", {}, field) : "") },
          { title: "Reason", of: ({ message }) => message },
        ],
        errors,
        { visibleCaption: true },
      ),
  ];
}

/** Up to five of the experiments in a CSV, to link to. */
function experimentIds(text) {
  const [header, ...lines] = text.trim().split(/\r?\n/, 2000);
  const column = header.split(",").map((name) => name.trim()).indexOf("experiment_id");
  const ids = column < 0 ? [] : lines.map((line) => line.split(",")[column]?.trim()).filter((id) => /^[A-Za-z0-9][\w.-]*$/.test(id ?? ""));
  return [...new Set(ids)].slice(0, 5);
}
