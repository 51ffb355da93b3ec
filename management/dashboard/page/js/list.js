// A long list that the server searches, sorts and cuts into pages.
import { Failure, get, query } from './api.js';
import { debounce, h, setText } from './dom.js';
import { whole } from './format.js';
import { table } from './table.js';

const ROWS = 50;
const MOST = 10_000; // rows that can be paged through; the server's bound too

/**
 * path(): what to ask. rows(answer), total(answer). controls: more of the tool bar. params(): more of the query.
 * note(answer): a text beside the count. empty(): what an empty list is told as. Returns {el, load, stop}.
 */
export function list({ label, path, rows, total, columns, key, sort, order = 'asc', controls = [], params = () => ({}), note = () => '', every = 3000, empty, onanswer }) {
  const sorted = {
    by: sort, order,
    change(by) {
      const column = columns.find((c) => c.sort === by);
      if (sorted.by === by) sorted.order = sorted.order === 'asc' ? 'desc' : 'asc';
      else [sorted.by, sorted.order] = [by, column.num ? 'desc' : 'asc'];
      offset = 0;
      load();
    },
  };
  let offset = 0;
  let timer;
  let asking = null;
  let stopped = false;
  const shown = table({ caption: label, columns, key, sorted });
  const search = h('input', { type: 'search', placeholder: 'Search', 'aria-label': `Search ${label.toLowerCase()}`, autocomplete: 'off', spellcheck: 'false', oninput: debounce(200, () => { offset = 0; load(); }) });
  const counted = h('p', { class: 'count', role: 'status' });
  const back = h('button', { hidden: true, onclick: () => move(-ROWS) }, 'Back');
  const on = h('button', { hidden: true, onclick: () => move(ROWS) }, 'Next');
  const place = h('span', { class: 'muted' });
  const el = h('div', {},
    h('div', { class: 'tools-row' }, search, controls),
    h('section', { class: 'card list' }, counted, shown.el, h('div', { class: 'pages' }, place, back, on)));

  function move(by) {
    offset = Math.max(0, offset + by);
    load();
    el.scrollIntoView({ block: 'start' });
  }

  async function load() {
    clearTimeout(timer);
    asking?.abort();
    const mine = asking = new AbortController();
    try {
      const answer = await get(`${path()}?${query({ q: search.value.trim(), sort: sorted.by, order: sorted.order, offset, limit: ROWS, ...params() })}`, mine.signal);
      const found = rows(answer);
      const all = total(answer);
      if (offset > 0 && found.length === 0) {
        offset = Math.max(0, Math.floor((Math.min(all, MOST) - 1) / ROWS) * ROWS);
        load();
        return;
      }
      el.classList.remove('stale');
      shown.update(found, search.value.trim() ? `Nothing matches “${search.value.trim()}”.` : empty?.());
      setText(counted, note(answer, all));
      setText(place, found.length ? `${whole(offset + 1)} – ${whole(offset + found.length)} of ${whole(all)}` : '');
      back.disabled = offset === 0;
      on.disabled = offset + ROWS >= Math.min(all, MOST + ROWS);
      back.hidden = on.hidden = all <= ROWS;
      onanswer?.(answer);
    } catch (err) {
      if (err.name === 'AbortError') return;
      el.classList.add('stale');
      if (err instanceof Failure) {
        const gone = err.status === 404;
        setText(counted, gone ? '' : err.message);
        if (gone) {
          el.classList.remove('stale');
          shown.update([], err.message);
          setText(place, '');
          back.hidden = on.hidden = true;
        }
      } else throw err;
    }
    if (!stopped && mine === asking) timer = setTimeout(() => (document.hidden ? again() : load()), every);
  }
  function again() {
    document.addEventListener('visibilitychange', () => { if (!stopped) load(); }, { once: true });
  }
  load();
  return {
    el,
    load: () => { offset = 0; load(); },
    stop() {
      stopped = true;
      clearTimeout(timer);
      asking?.abort();
    },
  };
}
