/** One experiment's settings: its names, how its shares are decided, its variants, and its state. */

import { go } from "../../addresses.js";
import { get, getWhole, patch } from "../../api.js";
import { deletePanel } from "../../components/experiment/delete-panel.js";
import { experimentPage } from "../../components/experiment/header.js";
import { stateButtons } from "../../components/experiment/state-buttons.js";
import { variantsPanel } from "../../components/experiment/variant-list.js";
import { form, formField } from "../../components/forms/form.js";
import { changes, settingsFields } from "../../components/settings/settings-fields.js";
import { h, announce } from "../../dom.js";

export async function show({ params: { id }, signal }) {
  const [{ body: experiment, headers }, { items: policies }] = await Promise.all([
    getWhole(`/experiments/${id}`, { signal }),
    get("/policies", { signal }),
  ]);
  const reload = () => go(`experiments/${id}/settings`);
  return experimentPage(
    experiment,
    "settings",
    [],
    h("div", { class: "stack" }, stateButtons(experiment, reload), variantsPanel(experiment, reload), settingsForm(experiment, headers.get("ETag"), policies, reload), deletePanel(experiment)),
  );
}

/** Explain what to do if the experiment was changed in the meantime. */
function explainConflict(error) {
  if (error.status !== 412) throw error;
  throw new Error("This experiment was changed by another user in the meantime, so nothing was saved. Reload the page to see the current settings, then change them again.");
}

function settingsForm(experiment, etag, policies, reload) {
  const name = formField({ name: "name", label: "Name", value: experiment.name });
  const description = formField({ name: "description", label: "Description", kind: "area", value: experiment.description });
  const settings = settingsFields(experiment, policies, experiment.variants);
  const fields = () => [name, description, ...settings.fields()];
  const content = [
    h("fieldset", {}, h("legend", {}, "Name and description"), h("div", { class: "fields" }, name.element, description.element)),
    settings.element,
  ];
  return h(
    "section",
    { class: "panel", "aria-labelledby": "settings" },
    h("h2", { id: "settings" }, "Settings"),
    h("p", { class: "hint" }, "A change applies from today on; no earlier date is rewritten."),
    form(content, fields, save, { button: "Save the settings" }),
  );

  async function save() {
    const after = { name: name.value(), description: description.value(), ...settings.values() };
    const changed = changes(experiment, after);
    if (!Object.keys(changed).length) return announce("Nothing was changed.");
    await patch(`/experiments/${experiment.experiment_id}`, changed, { etag }).catch(explainConflict);
    announce("The settings were saved.");
    reload();
  }
}
