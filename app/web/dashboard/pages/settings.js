import { h } from "../dom.js";
export const show = () => [h("h1", {}, "settings")];
