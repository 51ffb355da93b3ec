// The first view: what the node does, as numbers and as charts.
import { h, setText } from './dom.js';
import { bytes, count, rate, seconds, short, span, whole } from './format.js';
import { chart } from './charts.js';
import { table } from './table.js';
import { remember, remembered, stats } from './state.js';

const percentiles = (prefix) => [
  { column: `${prefix}50`, label: 'half', colour: '--c1' },
  { column: `${prefix}95`, label: '95 %', colour: '--c3' },
  { column: `${prefix}99`, label: '99 %', colour: '--c4' },
];

const charts = [
  { title: 'Connections', format: short, series: [{ column: 'connections', label: 'open', colour: '--c1', fill: true }] },
  { title: 'Messages per second', format: short, series: [
    { column: 'published', label: 'published', colour: '--c1', fill: true }, { column: 'received', label: 'from clients', colour: '--c2' }] },
  { title: 'Deliveries per second', format: short, series: [
    { column: 'sent', label: 'sent', colour: '--c2', fill: true }, { column: 'dropped', label: 'dropped', colour: '--c4' }] },
  { title: 'Broadcast', format: seconds, hint: 'Time of one pass over a channel’s subscribers, of the last ten seconds', series: percentiles('pass') },
  { title: 'Ping', format: seconds, hint: 'Time from the server’s ping to the client’s answer, of the last minute', series: percentiles('ping') },
  { title: 'Memory', format: bytes, series: [
    { column: 'resident', label: 'process', colour: '--c1', fill: true }, { column: 'heap', label: 'heap', colour: '--c2' }] },
];

const tiles = [
  ['Connections', () => whole(stats.now('connections')), () => count(stats.now('subscriptions'), 'subscription')],
  ['Channels', () => whole(stats.now('channels')), () => 'with a subscriber'],
  ['Published', () => rate(stats.now('published')), () => `${rate(stats.now('received'))} from clients`],
  ['Deliveries', () => rate(stats.now('sent')), () => (stats.now('dropped') ? `${rate(stats.now('dropped'))} dropped` : `${bytes(stats.now('bytes_out'))}/s`)],
  ['Broadcast, 95 %', () => seconds(stats.now('pass95')), () => `ping ${seconds(stats.now('ping50'))}`],
  ['Memory', () => bytes(stats.now('resident')), () => `${whole((stats.now('cpu') ?? 0) * 100)} % of a core`],
  ['Nodes', () => whole(stats.latest?.cluster.nodes), clusterText],
];

function clusterText() {
  const c = stats.latest?.cluster;
  if (!c) return '';
  if (!c.scaled) return 'runs alone';
  if (c.up) return c.since ? `joined for ${span((stats.latest.now - c.since) / 1000)}` : 'joined';
  return `Redis is away: ${c.error ?? ''}`;
}

const ranges = [[60, '1 min'], [300, '5 min'], [900, '15 min']];

export function overview(main) {
  let range = Number(remembered('range', 300));
  const drawn = charts.map(chart);
  const shown = tiles.map(([title, value, note]) => {
    const big = h('b', {}, '–');
    const small = h('small', {}, '');
    return { el: h('div', { class: 'tile' }, h('span', {}, title), big, small), update: () => { setText(big, value()); setText(small, note()); } };
  });
  const buttons = ranges.map(([secs, label]) => h('button', { 'aria-pressed': String(secs === range), onclick: () => choose(secs) }, label));
  const perApp = table({
    caption: 'Applications',
    key: (row) => row.id,
    columns: [
      { title: 'Application', cell: (row) => h('a', { href: '#/channels', onclick: () => remember('app', row.id) }, row.id), text: (row) => row.id },
      { title: 'Connections', num: true, text: (row) => whole(row.connections) },
      { title: 'From clients', num: true, wide: true, text: (row) => rate(row.received) },
      { title: 'Published', num: true, wide: true, text: (row) => rate(row.published) },
      { title: 'Deliveries', num: true, text: (row) => rate(row.sent) },
    ],
  });
  const more = h('p', { class: 'muted' });

  function choose(secs) {
    range = secs;
    remember('range', secs);
    buttons.forEach((b, i) => b.setAttribute('aria-pressed', String(ranges[i][0] === secs)));
    update();
  }
  function update() {
    for (const tile of shown) tile.update();
    for (const c of drawn) c.update(range);
    const { apps = [], all_apps: all = 0 } = stats.latest ?? {};
    perApp.update(apps);
    setText(more, all > apps.length ? `and ${count(all - apps.length, 'more application', 'more applications')}` : '');
  }

  main.append(
    h('div', { class: 'bar' }, h('h1', {}, 'Overview'), h('div', { class: 'segments', role: 'group', 'aria-label': 'Time shown' }, buttons)),
    h('div', { class: 'tiles' }, shown.map((t) => t.el)),
    h('div', { class: 'charts' }, drawn.map((c) => c.card)),
    h('section', { class: 'card' }, h('h2', {}, 'Applications'), perApp.el, more));
  stats.listeners.add(update);
  if (stats.latest) update();
  return () => {
    stats.listeners.delete(update);
    for (const c of drawn) c.destroy();
  };
}

