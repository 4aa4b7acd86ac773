"""The accessibility of a page as far as a machine can check it: names, headers, contrast (WCAG 2.2, level AA)."""

from playwright.sync_api import Page

LABELS = """() => {
  const problems = [];
  const report = (element, problem) => problems.push(`${problem}: ${element.outerHTML.slice(0, 120)}`);
  const isVisible = element => element.checkVisibility({visibilityProperty: true});
  const text = element => (element.innerText ?? "").trim() || element.getAttribute("aria-label");
  if (!document.documentElement.lang) problems.push("the page has no language");
  if (document.querySelectorAll("h1").length !== 1) problems.push("there is not exactly one h1");
  const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
  for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) problems.push(`the id ${id} occurs twice`);
  for (const field of document.querySelectorAll("input, select, textarea")) {
    if (!field.labels.length && !field.getAttribute("aria-label")) report(field, "has no label");
    for (const id of (field.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean)) {
      if (!document.getElementById(id)) report(field, `is described by ${id}, which does not exist`);
    }
  }
  for (const control of document.querySelectorAll("button, a[href], summary")) {
    const pictured = control.querySelector("img[alt]:not([alt=''])");
    if (isVisible(control) && !text(control) && !pictured) report(control, "has no name");
  }
  for (const image of document.querySelectorAll("img:not([alt])")) report(image, "has no alt");
  for (const image of document.querySelectorAll("[role=img]:not([aria-label])")) report(image, "has no name");
  for (const table of document.querySelectorAll("table")) {
    if (table.closest("#vg-tooltip-element")) continue;
    if (!table.caption?.textContent.trim()) report(table, "has no caption");
    for (const head of table.querySelectorAll("th:not([scope])")) report(head, "has no scope");
  }
  for (const chart of document.querySelectorAll("figure.chart")) {
    if (!chart.querySelector("details table")) report(chart, "has no table behind it");
    if (!chart.querySelector("[role=img][aria-label]")) report(chart, "has no text alternative");
  }
  let last = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    const level = Number(heading.tagName[1]);
    if (last && level > last + 2) report(heading, "skips a level of headings");
    last = level;
  }
  for (const one of document.querySelectorAll("[tabindex]")) {
    if (one.tabIndex > 0) report(one, "changes the tab order");
  }
  return problems;
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
  const problems = [];
  const check = (element, colour, least, what) => {
    const below = ground(element);
    const found = ratio(over(rgba(colour), below), below);
    if (found < least) problems.push(`${found.toFixed(2)} < ${least} ${what}: ${element.outerHTML.slice(0, 120)}`);
  };
  const isVisible = element => element.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !isVisible(element)) continue;
    if (element.closest("[disabled], noscript, script, option")) continue;
    const {color, fontSize, fontWeight} = getComputedStyle(element);
    const large = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
    check(element, color, large ? 3 : 4.5, "of text");
  }
  for (const field of document.querySelectorAll("input:not([type=file]), select, textarea")) {
    if (!isVisible(field)) continue;
    check(field, getComputedStyle(field).color, 4.5, "of a field's text");
    const bordered = !["radio", "checkbox"].includes(field.type);
    if (bordered) check(field.parentElement, getComputedStyle(field).borderTopColor, 3, "of a border");
    if (field.placeholder) check(field, getComputedStyle(field, "::placeholder").color, 4.5, "of a placeholder");
  }
  return problems;
}"""


def label_problems(page: Page) -> list[str]:
    """Return what has no name, no header or no order."""
    return page.evaluate(LABELS)


def contrast_problems(page: Page) -> list[str]:
    """Return texts, fields and borders whose contrast with their background is too low."""
    return page.evaluate(CONTRAST)


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")


def accessibility_problems(page: Page) -> dict[str, object]:
    """Return what fails for readers with a screen reader, low vision, a dark scheme or a screen 360 px wide."""
    problems: dict[str, object] = {"names and headers": label_problems(page)}
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        problems[f"contrast, {scheme}"] = contrast_problems(page)
    page.set_viewport_size({"width": 360, "height": 740})
    problems["wider than 360 px"] = overflow(page)
    return {what: found for what, found in problems.items() if found}
