// The few verbs the page needs from the DOM. Every writer compares first: what did not change costs nothing.

/** A new element of class `name`, holding `children` (nodes or strings). */
export function el(tag, name = "", ...children) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  node.append(...children);
  return node;
}

/** A new element holding one text node, which is returned beside it: [element, text]. */
export function slot(tag, name = "") {
  const text = document.createTextNode("");
  return [el(tag, name, text), text];
}

/** Set the content of a text node. */
export function put(text, value) {
  if (text.data !== value) text.data = value;
}

/** Set the text of an element that holds nothing else. */
export function say(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** Set an attribute; null removes it. */
export function mark(node, name, value) {
  if (value === null || value === "") {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== value) {
    node.setAttribute(name, value);
  }
}

/** Show or hide an element. */
export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

/** A preference that survives a reload where the browser allows it. */
export const memory = {
  get(key) {
    try {
      return localStorage.getItem(`twin.${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`twin.${key}`, value);
    } catch {
      // private mode: the choice lasts as long as the page
    }
  },
};
