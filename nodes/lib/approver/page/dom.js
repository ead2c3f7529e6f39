/** What the scripts do with the elements of the page. Whatever comes from the server goes in as text, never as HTML. */

export const byId = (id) => document.getElementById(id);

/** The elements with `data-part`, by its name; without those of a place in it that somebody else fills. */
export function partsOf(element) {
  const own = [...element.querySelectorAll('[data-part]')].filter(
    (part) => (part.closest('[data-place]') ?? element) === element,
  );
  return Object.fromEntries(own.map((part) => [part.dataset.part, part]));
}

/** Makes an element of a template that holds one. */
export function fromTemplate(id) {
  const element = byId(id).content.firstElementChild.cloneNode(true);
  return { element, parts: partsOf(element) };
}

/** Writes only differences: unchanged text must not be read out or selected again. */
export function put(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

export function show(element, isVisible) {
  if (element.hidden === isVisible) element.hidden = !isVisible;
}

/** Names the symbol that an icon shows. */
export function setIcon(use, symbol) {
  use.setAttribute('href', `#${symbol}`);
}

/** Characters that would turn the text after them round, so that it reads as something else (Unicode, UAX 9). */
const turning = /([\u202a-\u202e\u2066-\u2069])/;

/**
 * Shows what somebody is asked, so that `textContent` is exactly that. Each character that would turn the rest round
 * stands alone in an element where it turns nothing, and can be seen.
 */
export function putAsked(element, asked) {
  element.replaceChildren(
    ...asked.split(turning).map((part) => {
      if (!turning.test(part)) return part;
      const alone = document.createElement('span');
      alone.className = 'turning';
      alone.textContent = part;
      return alone;
    }),
  );
}

/** Fills the rows of a table of details. */
export function putDetails(rows, details) {
  rows.replaceChildren(
    ...details.map(([label, value]) => {
      const row = document.createElement('tr');
      const head = document.createElement('th');
      const cell = document.createElement('td');
      head.scope = 'row';
      putAsked(head, label);
      putAsked(cell, value);
      row.append(head, cell);
      return row;
    }),
  );
}
