/** Delete an experiment: what would be deleted is shown, its export is offered, and its id has to be typed. */

import { go } from "../../addresses.js";
import { open, remove } from "../../api.js";
import { h, announce } from "../../dom.js";
import { saveFile } from "../data/csv-download.js";
import { attempt } from "../forms/dialog.js";
import { formDialog } from "../forms/form-dialog.js";
import { sentence } from "../placeholders.js";

/** A panel with the buttons to export and to delete an experiment. */
export function deletePanel({ experiment_id: id }) {
  return h(
    "section",
    { class: "panel panel-head", "aria-labelledby": "delete" },
    h("div", {}, h("h2", { id: "delete" }, "Delete"), h("p", { class: "hint" }, "To keep the data, archive the experiment instead.")),
    h(
      "p",
      { class: "buttons" },
      h("button", { type: "button", onclick: () => attempt(() => save(id), `${id} was exported.`, () => {}) }, "Export"),
      h("button", { type: "button", class: "danger", onclick: () => confirmAndDelete(id) }, "Delete…"),
    ),
  );
}

async function save(id) {
  const response = await open(`/experiments/${id}/export`);
  saveFile(`${id}.ndjson`, await response.blob(), "application/x-ndjson");
}

async function confirmAndDelete(id) {
  const path = `/experiments/${id}`;
  const fields = [{ name: "query.confirm", label: `Type ${id} to delete it`, required: true }];
  const deleted = await formDialog(`Delete ${id}?`, await consequences(path), fields, "Delete permanently", (values) =>
    remove(path, { query: { confirm: values["query.confirm"] } }),
  );
  if (deleted) (announce(`${id} was deleted.`), go(""));
}

/** Return the service's first sentence about a deletion that is not confirmed: what would be deleted. */
const consequences = (path) =>
  remove(path).then(
    () => null,
    (error) => sentence(new Error(error.message.split(". ")[0])),
  );
