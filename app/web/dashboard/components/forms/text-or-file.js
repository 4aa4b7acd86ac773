/** Text that is pasted, dropped, or chosen as a file. A large file is not shown but sent as it is. */

import { announce, h, replace, uniqueId } from "../../dom.js";
import { count } from "../../format.js";

const MAX_SHOWN = 1_000_000; // bytes: a text area with much more blocks the page for minutes
const BEGINNING = 200_000; // bytes

/**
 * Make a text area accept files as well.
 *
 * @param {HTMLTextAreaElement} area
 * @param {object} options
 * @param {string} options.accept - types of files that are offered
 * @param {() => void} [options.ready] - called when a file has been chosen
 * @returns `button` to choose a file with, `note` that names a file which is too large to be shown, `dropTarget` that
 *   makes an element accept what is dropped on it, `content()` as text or File, `beginning()` as text
 */
export function textOrFile(area, { accept, ready = () => {} }) {
  let large = null;
  const file = h("input", { id: uniqueId("file"), type: "file", accept, class: "visually-hidden", onchange: () => use(file.files[0]) });
  const note = h("p", { class: "notice", hidden: true });
  area.addEventListener("input", () => clear());
  return {
    button: [h("label", { class: "button", for: file.id }, "Choose a file…"), file],
    note,
    dropTarget,
    content: () => large ?? area.value,
    beginning: () => (large ? large.slice(0, BEGINNING).text() : Promise.resolve(area.value)),
  };

  async function use(chosen) {
    file.value = ""; // so that the same file can be chosen again
    if (chosen.size <= MAX_SHOWN) {
      clear();
      area.value = await chosen.text();
    } else {
      large = chosen;
      area.value = "";
      note.hidden = false;
      replace(note, `${chosen.name}, ${count(chosen.size / 1_000_000)} MB, is too large to show and will be sent as it is. `, h("button", { type: "button", class: "quiet", onclick: clear }, "Remove it"));
    }
    announce(`${chosen.name} is ready.`);
    ready();
  }

  function clear() {
    large = null;
    note.hidden = true;
  }

  function dropTarget(element) {
    const leave = () => element.classList.remove("over");
    element.addEventListener("dragover", (event) => (event.preventDefault(), element.classList.add("over")));
    element.addEventListener("dragleave", leave);
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      leave();
      if (event.dataTransfer.files.length) use(event.dataTransfer.files[0]);
      else (clear(), (area.value = event.dataTransfer.getData("text")));
    });
    return element;
  }
}
