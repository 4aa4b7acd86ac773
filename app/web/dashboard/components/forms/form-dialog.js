/** A form in a modal dialog. */

import { h } from "../../dom.js";
import { dialog } from "./dialog.js";
import { form, formField } from "./form.js";

/** Ask for some fields and submit their values; the dialog stays open until that succeeds or it is cancelled. */
export const formDialog = (title, hint, definitions, button, submit) =>
  dialog(title, (close) => {
    const fields = definitions.map(formField);
    const cancel = h("button", { type: "button", onclick: () => close(null) }, "Cancel");
    const submitted = async () => close(await submit(Object.fromEntries(fields.map(({ name, value }) => [name, value()]))));
    return [hint && h("p", { class: "hint" }, hint), form(fields.map(({ element }) => element), () => fields, submitted, { button, more: [cancel] })].filter(Boolean);
  });
