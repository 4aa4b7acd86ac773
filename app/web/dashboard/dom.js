/** Creates elements: the only way the dashboard makes them, so that no text is ever parsed as HTML. */

/**
 * Create an element: `h("a", {href: "#/", class: "quiet"}, "Back")`.
 * Properties that start with "on" are listeners; null, undefined and false omit an attribute or a child.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) setProperty(element, name, value);
  append(element, children);
  return element;
}

function setProperty(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "style") for (const [rule, text] of Object.entries(value)) element.style.setProperty(rule, text);
  else if (name === "value") element.value = value;
  else element.setAttribute(name, value === true ? "" : value);
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

/** Replace an element's content. */
export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** Announce something to screen readers without moving the focus. */
export function announce(sentence) {
  document.getElementById("status").textContent = sentence;
}

let last = 0;

/** An id that no other element has, for labels and descriptions. */
export const uniqueId = (prefix) => `${prefix}-${++last}`;
