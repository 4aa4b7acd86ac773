/** Uploads daily totals of any experiments as CSV. */

import { uploadPanel } from "../components/data/upload-panel.js";
import { h } from "../dom.js";

export const show = ({ signal }) => [
  h("h1", {}, "Upload"),
  h("p", { class: "lead" }, "What each variant did on each day. Unknown experiments and variants are registered implicitly."),
  uploadPanel({ signal }),
];
