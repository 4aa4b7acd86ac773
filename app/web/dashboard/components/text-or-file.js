/** A text to send: pasted, dropped, or chosen as a file. A large file is not shown but sent as it is. */

import { announce, h, replace, uniqueId } from "../dom.js";
import { count } from "../format.js";

const SHOWN = 1_000_000; // bytes: a text field with much more stops the page for minutes
const BEGINNING = 200_000;

/**
 * Make a text area take files as well.
 *
 * @param {HTMLTextAreaElement} area
 * @param {object} options
 * @param {string} options.accept - kinds of files that are offered
 * @param {() => void} [options.ready] - called when a file is there
 * @returns `button` to choose a file with, `note` that names a file which is too large to be shown, `target` that
 *   makes an element take what is dropped on it, `content()` as the text or the File, `beginning()` as text
 */
export function textOrFile(area, { accept, ready = () => {} }) {
  let large = null;
  const file = h("input", { id: uniqueId("file"), type: "file", accept, class: "visually-hidden", onchange: () => take(file.files[0]) });
  const note = h("p", { class: "notice", hidden: true });
  area.addEventListener("input", () => forget());
  return {
    button: [h("label", { class: "button", for: file.id }, "Choose a file…"), file],
    note,
    target,
    content: () => large ?? area.value,
    beginning: () => (large ? large.slice(0, BEGINNING).text() : Promise.resolve(area.value)),
  };

  async function take(chosen) {
    file.value = ""; // so that the same file can be chosen again
    if (chosen.size <= SHOWN) {
      forget();
      area.value = await chosen.text();
    } else {
      large = chosen;
      area.value = "";
      note.hidden = false;
      replace(note, `${chosen.name}, ${count(chosen.size / 1_000_000)} MB, is sent as it is. `, h("button", { type: "button", class: "quiet", onclick: forget }, "Take it away"));
    }
    announce(`${chosen.name} is ready.`);
    ready();
  }

  function forget() {
    large = null;
    note.hidden = true;
  }

  function target(element) {
    const leave = () => element.classList.remove("over");
    element.addEventListener("dragover", (event) => (event.preventDefault(), element.classList.add("over")));
    element.addEventListener("dragleave", leave);
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      leave();
      if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
      else (forget(), (area.value = event.dataTransfer.getData("text")));
    });
    return element;
  }
}
