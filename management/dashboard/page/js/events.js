// The live tail: the events of an application as they pass through this node.
import { enc, get, query } from './api.js';
import { badge, debounce, h, setText, toast } from './dom.js';
import { bytes, clock, count, pretty, whole } from './format.js';
import { pickApp } from './pick.js';
import { apps } from './state.js';
import { channelLink } from './channels.js';

const ROWS = 300; // that are kept

export function events(main, _, params) {
  let app = apps.ids.includes(params.get('app')) ? params.get('app') : apps.current;
  let source = null;
  let paused = false;
  let waiting = []; // events that came in a pause, or since the last drawing
  let seen = 0;
  let dropped = 0;
  let frame = 0;
  const rows = h('ol', { class: 'events', 'aria-label': 'Events, the newest first' });
  const none = h('p', { class: 'empty' }, 'Waiting for events …');
  const state = h('p', { class: 'count' });
  const left = h('p', { class: 'warning', role: 'status', hidden: true });
  const filter = h('input', { type: 'search', placeholder: 'Filter by any text', 'aria-label': 'Only events that have this text in channel, name or data', value: params.get('q') ?? '', autocomplete: 'off', spellcheck: 'false', oninput: debounce(300, () => { clear(); open(); }) });
  const pause = h('button', { id: 'pause', 'aria-pressed': 'false', title: 'p', onclick: toggle }, 'Pause');
  const pick = pickApp((id) => { app = id; clear(); open(); }, { value: app });

  const awaited = () => (filter.value.trim() ? `Waiting for events with “${filter.value.trim()}” …` : 'Waiting for events …');

  function open() {
    source?.close();
    setText(none, awaited());
    source = new EventSource(`api/apps/${enc(app)}/tail?${query({ q: filter.value.trim() })}`);
    source.onmessage = (e) => {
      const batch = JSON.parse(e.data);
      seen += batch.events.length;
      dropped += batch.dropped;
      waiting.push(...batch.events);
      waiting.splice(0, waiting.length - ROWS);
      schedule();
    };
    source.onopen = () => { setText(none, awaited()); tell(); };
    source.onerror = async () => {
      setText(state, 'The stream was interrupted.');
      if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
      source.close();
      try {
        await get('session'); // a login that has ended shows here
        setText(none, 'The stream was refused: too many people view events, or the server goes away. Reload to try again.');
      } catch (err) {
        toast(err.message, 'bad');
      }
    };
  }

  function schedule() {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (!paused) draw();
      tell();
    });
  }

  function draw() {
    rows.prepend(...waiting.reverse().map(row));
    waiting = [];
    while (rows.children.length > ROWS) {
      const last = rows.lastElementChild;
      if (last.contains(document.activeElement)) break;
      last.remove();
    }
    none.hidden = rows.children.length > 0;
  }

  function row(e) {
    const details = h('details', { ontoggle: () => {
      if (details.open && details.children.length === 1) details.append(more(e));
    } }, h('summary', {},
      h('time', {}, clock(e.at)), h('span', { class: 'event' }, e.event || '(no event)'),
      h('span', { class: 'channel' }, e.channel, !e.reached && badge('nobody here', 'quiet')),
      h('code', { class: 'data' }, e.data)));
    return h('li', {}, details);
  }

  function more(e) {
    return h('div', { class: 'more' },
      h('pre', { tabindex: '0' }, pretty(e.data)),
      h('p', { class: 'muted' }, bytes(e.size), e.size > new Blob([e.data]).size ? ', of which the beginning is shown' : '',
        e.user_id !== undefined ? ` · from user ${e.user_id}` : '', e.except ? ` · not to ${e.except}` : '', ' · ',
        h('a', { href: channelLink(app, e.channel) }, 'channel')));
  }

  function tell() {
    setText(state, paused ? `Paused, ${count(waiting.length, 'new event')}${waiting.length === ROWS ? ' and more' : ''}` : `${count(seen, 'event')} seen`);
    left.hidden = dropped === 0;
    setText(left, `${whole(dropped)} left out, because they came faster than they can be shown`);
  }

  function toggle() {
    paused = !paused;
    pause.setAttribute('aria-pressed', String(paused));
    setText(pause, paused ? 'Go on' : 'Pause');
    if (!paused) draw();
    tell();
  }

  function clear() {
    rows.replaceChildren();
    waiting = [];
    seen = dropped = 0;
    none.hidden = false;
    tell();
  }

  main.append(
    h('div', { class: 'bar' }, h('h1', {}, 'Events'), h('div', { class: 'buttons' }, pause, h('button', { onclick: clear }, 'Clear'))),
    h('div', { class: 'tools-row' }, filter, pick),
    h('section', { class: 'card list' }, state, left, rows, none));
  tell();
  open();
  return () => {
    source?.close();
    cancelAnimationFrame(frame);
  };
}
