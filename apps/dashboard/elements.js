// Everything shown comes from agents and their callers: it goes into textContent, and nowhere else.

/** An element with an empty span for each class name. */
export function element(tag, ...classNames) {
  const made = document.createElement(tag);
  for (const className of classNames) made.append(Object.assign(document.createElement("span"), { className }));
  return made;
}

/** Puts texts into the spans of an element. */
export function fill(parent, texts) {
  for (const [className, text] of Object.entries(texts)) {
    const span = parent.querySelector(`:scope > .${className}`);
    if (span.textContent !== text) span.textContent = text;
  }
}

/** Makes the children of a list match the items, keeping the elements, and so the focus, of those that stay. */
export function showList(list, items, { make, update }) {
  const kept = new Map(Array.from(list.children, (child) => [child.dataset.id, child]));
  for (const [index, item] of items.entries()) {
    const child = kept.get(item.id) ?? make(item);
    kept.delete(item.id);
    child.dataset.id = item.id;
    update(child, item);
    if (list.children[index] !== child) list.insertBefore(child, list.children[index] ?? null);
  }
  for (const child of kept.values()) child.remove();
}

/** Draws once before the next frame, however often it is asked to. */
export function beforeNextFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}
