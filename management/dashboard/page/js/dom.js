// Makes elements. Text is always text: nothing here, or anywhere else in the page, turns a string into markup.

/** h('button', {class: 'primary', onclick}, 'Send') */
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) el.addEventListener(name.slice(2), value);
    else if (name === 'class') el.className = value;
    else if (name in el && typeof value !== 'string') el[name] = value;
    else el.setAttribute(name, value === true ? '' : value);
  }
  el.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return el;
}

/** Sets text only where it differs, so that a selection or a screen reader is not disturbed. */
export function setText(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

export function badge(text, kind = '') {
  return h('span', { class: `badge ${kind}` }, text);
}

/** The colour of a kind of channel. */
export function kindBadge(kind) {
  return badge(kind, `kind-${kind.split(' ')[0]}`);
}

/** A socket id, which breaks at its dot where it has to. */
export function socketLink(id) {
  const [first, second] = id.split('.');
  return h('a', { class: 'mono', href: `#/connection/${encodeURIComponent(id)}` }, `${first}.`, h('wbr'), second);
}

export function debounce(ms, f) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...args), ms);
  };
}

let toastTimer;
export function toast(text, kind = '') {
  const place = document.getElementById('toasts');
  place.replaceChildren(h('div', { class: `toast ${kind}` }, text));
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => place.replaceChildren(), 6000);
}

/** Asks before something that cannot be undone. */
export function confirm({ title, text, action }) {
  const dialog = document.getElementById('dialog');
  return new Promise((resolve) => {
    dialog.replaceChildren(
      h('h2', { id: 'dialog-title' }, title),
      h('p', {}, text),
      h('form', { method: 'dialog', class: 'buttons' },
        h('button', { value: 'no' }, 'Cancel'),
        h('button', { value: 'yes', class: 'danger' }, action)));
    dialog.returnValue = 'no';
    dialog.onclose = () => resolve(dialog.returnValue === 'yes');
    dialog.showModal();
  });
}

/** Shows something that is only read. */
export function inform(title, ...content) {
  const dialog = document.getElementById('dialog');
  dialog.onclose = null;
  dialog.replaceChildren(h('h2', { id: 'dialog-title' }, title), ...content,
    h('form', { method: 'dialog', class: 'buttons' }, h('button', {}, 'Close')));
  dialog.showModal();
}
