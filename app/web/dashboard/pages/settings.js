/** One experiment's settings: its words, what decides its shares, its variants, and whether it runs. */

import { get, getWhole, patch } from "../api.js";
import { changes, settingsFields } from "../components/settings.js";
import { experimentPage } from "../components/experiment.js";
import { form, formField } from "../components/form.js";
import { go } from "../router.js";
import { h, announce } from "../dom.js";
import { stateButtons } from "../components/state.js";
import { variantsPanel } from "../components/membership.js";

export async function show({ params: { id }, signal }) {
  const [{ body: experiment, headers }, { items: policies }] = await Promise.all([
    getWhole(`/experiments/${id}`, { signal }),
    get("/policies", { signal }),
  ]);
  const again = () => go(`experiments/${id}/settings`);
  return experimentPage(
    experiment,
    "settings",
    [],
    h("div", { class: "stack" }, stateButtons(experiment, again), variantsPanel(experiment, again), settingsForm(experiment, headers.get("ETag"), policies, again)),
  );
}

/** What to do where somebody else has changed the same meanwhile. */
function ifOthersWereFaster(error) {
  if (error.status !== 412) throw error;
  throw new Error("Somebody else changed this experiment meanwhile, so nothing was saved. Reload the page to see what it is now, then change it again.");
}

function settingsForm(experiment, etag, policies, again) {
  const name = formField({ name: "name", label: "Name", value: experiment.name });
  const description = formField({ name: "description", label: "Description", kind: "area", value: experiment.description });
  const settings = settingsFields(experiment, policies, experiment.variants);
  const fields = () => [name, description, ...settings.fields()];
  const content = [
    h("fieldset", {}, h("legend", {}, "Words"), h("div", { class: "fields" }, name.element, description.element)),
    settings.element,
  ];
  return h(
    "section",
    { class: "panel", "aria-labelledby": "settings" },
    h("h2", { id: "settings" }, "Settings"),
    h("p", { class: "hint" }, "What is changed applies from today on; no earlier date is rewritten."),
    form(content, fields, save, { button: "Save the settings" }),
  );

  async function save() {
    const after = { name: name.value(), description: description.value(), ...settings.values() };
    const changed = changes(experiment, after);
    if (!Object.keys(changed).length) return announce("Nothing was changed.");
    await patch(`/experiments/${experiment.experiment_id}`, changed, { etag }).catch(ifOthersWereFaster);
    announce("The settings were saved.");
    again();
  }
}
