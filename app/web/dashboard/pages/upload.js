/** Daily totals of any experiments, as CSV. */

import { h } from "../dom.js";
import { uploadPanel } from "../components/upload.js";

export const show = ({ signal }) => [
  h("h1", {}, "Upload"),
  h("p", { class: "lead" }, "What each variant did on each day. Experiments and variants that are not known yet are registered on the way."),
  uploadPanel({ signal }),
];
