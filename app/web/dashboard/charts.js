/** Charts: a Vega-Lite specification drawn on canvas in the page's own colours, with its figures as a table behind it. */

import { SERIES } from "./colours.js";
import { h } from "./dom.js";
import { table } from "./components/table.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

/**
 * A figure with a title, a chart and its table. It is drawn once it comes near the screen.
 *
 * @param {string} title
 * @param {object} spec - Vega-Lite, with its data inside (`data: {values}`); colours and sizes come from here
 * @param {object} options
 * @param {string} options.summary - the chart in a sentence, for those who do not see it
 * @param {{columns: object[], rows: object[]}} options.figures - the same as a table
 * @param {AbortSignal} options.signal - ends with the page
 * @param {Node[]} [options.tools] - what stands beside the title
 * @param {(view) => void} [options.whenDrawn] - called with Vega's view after every drawing, to move it
 */
export function chart(title, spec, { summary, figures, signal, tools = [], whenDrawn = () => {} }) {
  const canvas = h("div", { class: "canvas", role: "img", "aria-label": `${title}. ${summary}` }, h("div", {}));
  const element = h(
    "figure",
    { class: "chart" },
    h("figcaption", {}, h("h3", {}, title), h("span", { class: "tools" }, tools)),
    canvas,
    h("details", {}, h("summary", {}, "Figures"), table(title, figures.columns, figures.rows)),
  );
  drawWhenNear(canvas, spec, signal, whenDrawn);
  return element;
}

function drawWhenNear(canvas, spec, signal, whenDrawn) {
  let drawn = null;
  const draw = async () => {
    const next = await drawing(canvas, spec, drawn);
    if (signal.aborted) return next?.finalize();
    drawn = next;
    if (drawn) whenDrawn(drawn.view);
  };
  const watcher = new IntersectionObserver(
    ([entry]) => {
      if (!entry.isIntersecting) return;
      watcher.disconnect();
      draw();
      dark.addEventListener("change", draw, { signal });
    },
    { rootMargin: "300px" },
  );
  watcher.observe(canvas);
  signal.addEventListener("abort", () => (watcher.disconnect(), drawn?.finalize()));
}

async function drawing(canvas, spec, before) {
  const inner = canvas.firstChild; // Vega gives the element it draws into a role of its own
  try {
    const { vegaEmbed } = await library();
    before?.finalize();
    const drawn = await vegaEmbed(inner, { width: "container", height: 260, ...spec }, options());
    canvas.dataset.drawn = "yes";
    return drawn;
  } catch (error) {
    inner.replaceChildren(h("p", { class: "hint" }, `No chart: ${error.message} The figures are below.`));
    canvas.dataset.drawn = "no";
    return null;
  }
}

const link = document.getElementById("vega");

/** Vega-Lite: fetched with the first page that draws, while its figures are on their way. */
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
  ast: true, // expressions are interpreted: the page's policy allows no eval
  defaultStyle: false, // nor styles made by scripts
  tooltip: { disableDefaultStyle: true, theme: "ours" },
  config: theme(),
});

/** The page's colours and letters as Vega-Lite knows them. */
function theme() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  const [text, muted, line, font] = ["--text", "--muted", "--line", "--font"].map(of);
  return {
    background: "transparent",
    font,
    padding: { left: 2, right: 8, top: 4, bottom: 2 },
    view: { stroke: null },
    axis: {
      labelColor: muted, titleColor: muted, titleFontWeight: 500, labelFontSize: 12, titleFontSize: 12,
      gridColor: line, gridOpacity: 0.7, domain: false, tickColor: line, labelPadding: 6, titlePadding: 8,
    },
    axisX: { grid: false, domain: true, domainColor: line },
    legend: {
      labelColor: text, titleColor: muted, labelFontSize: 12, orient: "top", title: null, symbolType: "circle",
      symbolSize: 90, symbolOpacity: 1, symbolStrokeWidth: 2, labelLimit: 220, columns: { signal: "width < 200 ? 1 : width < 420 ? 2 : 6" },
    },
    mark: { color: of("--series-1") },
    rule: { color: muted },
    text: { color: text, font },
    range: { category: palette(of) },
  };
}

const palette = (of) => Array.from({ length: SERIES }, (_, i) => of(`--series-${i + 1}`));

/** How many variants a chart can hold to be read; of more, the most important are drawn. */
export const FEW = 12;

/** The colour channel of variants: each has the same colour in every chart, that of its registration; some may be drawn. */
export const variantColour = (names, drawn = names) => ({
  field: "variant", type: "nominal", title: null, scale: { domain: names },
  ...(drawn.length < names.length && { legend: { values: drawn } }),
});

export { seriesColour } from "./colours.js";
