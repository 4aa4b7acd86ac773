/** CSV files of what the page shows, made in the browser. */

import { h } from "../../dom.js";

/**
 * A button that saves rows as CSV.
 *
 * @param {() => [string[], any[][]]} content - returns the header and the rows, called when the button is pressed
 */
export const csvButton = (label, fileName, content) =>
  h("button", { type: "button", class: "quiet", onclick: () => saveFile(fileName, csv(...content())) }, label);

const csv = (header, rows) => [header, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";

function cell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Save a text, or a Blob, as a file. */
export function saveFile(fileName, content, type = "text/csv") {
  const url = URL.createObjectURL(new Blob([content], { type }));
  h("a", { href: url, download: fileName }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
