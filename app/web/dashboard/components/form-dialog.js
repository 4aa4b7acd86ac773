/** A form that stops everything else until it is sent or cancelled. */

import { dialog } from "./dialog.js";
import { form, formField } from "./form.js";
import { h } from "../dom.js";

/** Ask for some fields and do something with their values; it stays open until that works, or is cancelled. */
export const formDialog = (title, hint, described, deed, send) =>
  dialog(title, (close) => {
    const fields = described.map(formField);
    const cancel = h("button", { type: "button", onclick: () => close(null) }, "Cancel");
    const sent = async () => close(await send(Object.fromEntries(fields.map(({ name, value }) => [name, value()]))));
    return [hint && h("p", { class: "hint" }, hint), form(fields.map(({ element }) => element), () => fields, sent, { button: deed, more: [cancel] })].filter(Boolean);
  });
