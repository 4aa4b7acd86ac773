/** Charts: a Vega-Lite specification drawn on canvas in the dashboard's colours, with a legend and the data as a table. */

import { SERIES, seriesColour } from "./colours.js";
import { h } from "../../dom.js";
import { table } from "../data/table.js";

const HEIGHT = 320; // pixels

/**
 * A titled chart with its data table. It is drawn when it comes near the screen, into space that was reserved for it.
 *
 * @param {string} title
 * @param {object} spec - Vega-Lite with inline data (`data: {values}`); colours and width are added here. `height` is
 *   that of the whole canvas in pixels, axes included
 * @param {object} options
 * @param {string} options.summary - the chart in a sentence, for screen readers
 * @param {{columns: object[], rows: object[]}} options.data - the same data as a table
 * @param {AbortSignal} options.signal - aborts when the reader leaves the page
 * @param {{label: string, colour: string, kind?: string}[]} [options.legend] - see `legendOf`; `kind` is a class of the mark
 * @param {string} [options.note] - beside the title
 * @param {(view) => void} [options.whenDrawn] - called with Vega's view each time the chart was drawn
 */
export function chart(title, { height = HEIGHT, ...spec }, { summary, data, signal, legend = [], note, whenDrawn = () => {} }) {
  const properties = { class: "canvas", role: "img", "aria-label": `${title}. ${summary}`, style: { height: `${height}px` } };
  const canvas = h("div", properties, h("div", {}));
  const element = h(
    "figure",
    { class: "chart" },
    h("figcaption", {}, h("h3", {}, title), note && h("span", { class: "hint" }, note)),
    legend.length > 0 && h("ul", { class: "chart-legend", "aria-label": "Legend" }, legend.map(entry)),
    canvas,
    h("details", {}, h("summary", {}, "Data table"), table(title, data.columns, data.rows)),
  );
  drawWhenNear(canvas, { ...spec, height }, signal, whenDrawn);
  return element;
}

const entry = ({ label, colour, kind = "" }) => h("li", {}, h("i", { class: `dot ${kind}`, style: { background: colour }, "aria-hidden": "true" }), label);

function drawWhenNear(canvas, spec, signal, whenDrawn) {
  let drawn = null;
  const draw = async () => {
    const next = await embed(canvas, spec, drawn);
    if (signal.aborted) return next?.finalize();
    drawn = next;
    if (drawn) whenDrawn(drawn.view);
  };
  const observer = new IntersectionObserver(
    ([entry]) => {
      if (!entry.isIntersecting) return;
      observer.disconnect();
      draw();
      dark.addEventListener("change", draw, { signal });
    },
    { rootMargin: "300px" },
  );
  observer.observe(canvas);
  signal.addEventListener("abort", () => (observer.disconnect(), drawn?.finalize()));
}

const dark = matchMedia("(prefers-color-scheme: dark)");

async function embed(canvas, spec, previous) {
  const inner = canvas.firstChild; // Vega sets a role of its own on the element it draws into
  try {
    const { vegaEmbed } = await library();
    previous?.finalize();
    const drawn = await vegaEmbed(inner, { width: "container", autosize: { type: "fit", contains: "padding" }, ...spec }, options());
    canvas.dataset.drawn = "yes";
    return drawn;
  } catch (error) {
    inner.replaceChildren(h("p", { class: "hint" }, `No chart: ${error.message} The data table below has the same data.`));
    canvas.dataset.drawn = "no";
    return null;
  }
}

const link = document.getElementById("vega");

/** Vega-Lite, loaded with the first page that draws, while the page's data are loading. */
const loading = link && import(link.href).catch((error) => error);

async function library() {
  if (!link) throw new Error("this installation has no Vega-Lite (the vl-convert wheel is missing).");
  const loaded = await loading;
  if (loaded instanceof Error) throw loaded;
  return loaded;
}

const options = () => ({
  mode: "vega-lite",
  renderer: "canvas",
  actions: false,
  ast: true, // expressions are interpreted: the content security policy forbids eval
  defaultStyle: false, // and styles added by scripts
  tooltip: { disableDefaultStyle: true, theme: "dashboard" },
  config: theme(),
});

/** The dashboard's colours and font as a Vega-Lite config. */
function theme() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  const [text, muted, line, font] = ["--text", "--muted", "--line", "--font"].map(of);
  return {
    background: "transparent",
    font,
    padding: { left: 2, right: 8, top: 8, bottom: 2 },
    view: { stroke: null },
    axis: {
      labelColor: muted, titleColor: muted, titleFontWeight: 500, labelFontSize: 12, titleFontSize: 12,
      gridColor: line, gridOpacity: 0.7, domain: false, tickColor: line, labelPadding: 6, titlePadding: 8,
    },
    axisX: { grid: false, domain: true, domainColor: line },
    legend: { disable: true }, // the page's own can wrap and be read aloud
    mark: { color: of("--series-1") },
    rule: { color: muted },
    text: { color: text, font },
    range: { category: Array.from({ length: SERIES }, (_, i) => of(`--series-${i + 1}`)) },
  };
}

/** How many variants a chart can show legibly; of more, the most important are drawn. */
export const MAX_DRAWN = 12;

/** The colour channel of the field `variant`: each name has the same colour in every chart. */
export const variantColour = (names) => ({ field: "variant", type: "nominal", scale: { domain: names } });

/** The legend of such a channel, with those of the names that are drawn. */
export const legendOf = (names, drawn = names) => drawn.map((label) => ({ label, colour: seriesColour(names.indexOf(label)) }));
