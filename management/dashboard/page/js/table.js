// Tables that are told their rows again and again: a row keeps its element, so that the focus and a selection stay where they are.
import { h, setText } from './dom.js';

/**
 * columns: [{title, sort, num, wide, text(row), cell(row)}]. text is what is shown; cell makes an element instead, anew only when
 * text has changed. wide: left out on phones. sorted: {by, order, change(by)}.
 */
export function table({ caption, columns, key, sorted, empty = 'Nothing here.' }) {
  const heads = columns.map((c) => {
    const classes = `${c.num ? 'num' : ''} ${c.wide ? 'wide' : ''}`;
    if (!c.sort || !sorted) return h('th', { scope: 'col', class: classes }, c.title);
    return h('th', { scope: 'col', class: classes }, h('button', { class: 'sort', onclick: () => sorted.change(c.sort) }, c.title, h('i', { 'aria-hidden': 'true' })));
  });
  const body = h('tbody');
  const none = h('p', { class: 'empty', hidden: true }, empty);
  const el = h('div', { class: 'scroll' }, h('table', {}, h('caption', { class: 'hidden' }, caption), h('thead', {}, h('tr', {}, heads)), body), none);
  const rows = new Map(); // key → {tr, texts}

  function make(row) {
    const cells = columns.map((c) => h('td', { class: `${c.num ? 'num' : ''} ${c.wide ? 'wide' : ''}` }));
    return { tr: h('tr', {}, cells), cells, texts: [] };
  }

  /** without: what an empty list is told as, in place of `empty`. */
  function update(list, without = empty) {
    const seen = new Set();
    let after = null;
    for (const row of list) {
      const id = key(row);
      seen.add(id);
      const known = rows.get(id) ?? make(row);
      rows.set(id, known);
      columns.forEach((c, i) => {
        const text = c.text(row);
        if (known.texts[i] === text) return;
        known.texts[i] = text;
        if (c.cell) known.cells[i].replaceChildren(c.cell(row));
        else setText(known.cells[i], text);
      });
      const next = after ? after.nextElementSibling : body.firstElementChild;
      if (next !== known.tr) body.insertBefore(known.tr, next);
      after = known.tr;
    }
    for (const [id, known] of rows) {
      if (seen.has(id)) continue;
      known.tr.remove();
      rows.delete(id);
    }
    none.hidden = list.length > 0;
    setText(none, without);
    heads.forEach((th, i) => {
      if (!sorted || !columns[i].sort) return;
      if (columns[i].sort === sorted.by) th.setAttribute('aria-sort', sorted.order === 'desc' ? 'descending' : 'ascending');
      else th.removeAttribute('aria-sort');
    });
  }
  return { el, update };
}
