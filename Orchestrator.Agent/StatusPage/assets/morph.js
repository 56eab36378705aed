// Makes one element like another and changes no more than it has to: focus, selection, scroll position and what was opened stay.

export function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || from.id !== to.id) return from.replaceWith(to);
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  if (from.hasAttribute('data-keep')) return;
  attributes(from, to);
  children(from, to);
}

// What the reader has opened or chosen is theirs.
const own = (element, name) => name === 'open' || (name === 'checked' && element.nodeName === 'INPUT');

function attributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !own(from, name) && name !== 'data-key') from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value && !own(from, name)) from.setAttribute(name, value);
  }
}

function children(from, to) {
  const wanted = new Set(Array.from(to.children, child => child.id).filter(Boolean));
  const named = new Map(Array.from(from.children, child => [child.id, child]).filter(([id]) => id));
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    // One that is wanted further on is not used up for another.
    while (at && at.id && at.id !== next.id && !wanted.has(at.id)) at = drop(at);
    const same = next.id ? named.get(next.id) : undefined;
    if (same && same !== at) {
      from.insertBefore(same, at);
      morph(same, next);
    } else if (same || (at && !next.id && !at.id && at.nodeName === next.nodeName)) {
      const after = at.nextSibling;
      morph(at, next);
      at = after;
    } else {
      from.insertBefore(next, at);
    }
  }
  while (at) at = drop(at);
}

function drop(node) {
  const after = node.nextSibling;
  node.remove();
  return after;
}
