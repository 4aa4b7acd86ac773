"""What can be checked by a machine of who can use a page: names, headers, contrast (WCAG 2.2, level AA)."""

from playwright.sync_api import Page

LABELS = """() => {
  const faults = [];
  const say = (element, fault) => faults.push(`${fault}: ${element.outerHTML.slice(0, 120)}`);
  const seen = element => element.checkVisibility({visibilityProperty: true});
  const text = element => (element.innerText ?? "").trim() || element.getAttribute("aria-label");
  if (!document.documentElement.lang) faults.push("the page has no language");
  if (document.querySelectorAll("h1").length !== 1) faults.push("there is not exactly one h1");
  const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
  for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) faults.push(`the id ${id} is there twice`);
  for (const field of document.querySelectorAll("input, select, textarea")) {
    if (!field.labels.length && !field.getAttribute("aria-label")) say(field, "has no label");
    for (const id of (field.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean)) {
      if (!document.getElementById(id)) say(field, `is described by ${id}, which is not there`);
    }
  }
  for (const control of document.querySelectorAll("button, a[href], summary")) {
    const pictured = control.querySelector("img[alt]:not([alt=''])");
    if (seen(control) && !text(control) && !pictured) say(control, "has no name");
  }
  for (const image of document.querySelectorAll("img:not([alt])")) say(image, "has no alt");
  for (const image of document.querySelectorAll("[role=img]:not([aria-label])")) say(image, "has no name");
  for (const table of document.querySelectorAll("table")) {
    if (table.closest("#vg-tooltip-element")) continue;
    if (!table.caption?.textContent.trim()) say(table, "has no caption");
    for (const head of table.querySelectorAll("th:not([scope])")) say(head, "has no scope");
  }
  for (const chart of document.querySelectorAll("figure.chart")) {
    if (!chart.querySelector("details table")) say(chart, "has no table behind it");
    if (!chart.querySelector("[role=img][aria-label]")) say(chart, "has no words for its picture");
  }
  let last = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    const level = Number(heading.tagName[1]);
    if (last && level > last + 2) say(heading, "is too deep a heading");
    last = level;
  }
  for (const one of document.querySelectorAll("[tabindex]")) {
    if (one.tabIndex > 0) say(one, "changes the tab order");
  }
  return faults;
}"""

CONTRAST = """() => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1});
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const ground = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = rgba(getComputedStyle(at).backgroundColor);
      layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ratio = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const faults = [];
  const check = (element, colour, least, what) => {
    const below = ground(element);
    const found = ratio(over(rgba(colour), below), below);
    if (found < least) faults.push(`${found.toFixed(2)} < ${least} ${what}: ${element.outerHTML.slice(0, 120)}`);
  };
  const seen = element => element.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !seen(element) || element.closest("[disabled], noscript, script, option")) continue;
    const {color, fontSize, fontWeight} = getComputedStyle(element);
    const large = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
    check(element, color, large ? 3 : 4.5, "of text");
  }
  for (const field of document.querySelectorAll("input:not([type=file]), select, textarea")) {
    if (!seen(field)) continue;
    check(field, getComputedStyle(field).color, 4.5, "of a field's text");
    const bordered = !["radio", "checkbox"].includes(field.type);
    if (bordered) check(field.parentElement, getComputedStyle(field).borderTopColor, 3, "of a border");
    if (field.placeholder) check(field, getComputedStyle(field, "::placeholder").color, 4.5, "of a placeholder");
  }
  return faults;
}"""


def label_faults(page: Page) -> list[str]:
    """What has no name, no header or no order."""
    return page.evaluate(LABELS)


def contrast_faults(page: Page) -> list[str]:
    """Texts, fields and their borders that stand out too little from what is behind them."""
    return page.evaluate(CONTRAST)
