// The first view: what the node does, as numbers and as charts.
import { badge, h, setText } from './dom.js';
import { bytes, count, rate, seconds, short, span, whole } from './format.js';
import { chart } from './charts.js';
import { table } from './table.js';
import { remember, remembered, stats } from './state.js';

const percentiles = (prefix) => [
  { column: `${prefix}50`, label: 'p50', colour: '--c1' },
  { column: `${prefix}95`, label: 'p95', colour: '--c3' },
  { column: `${prefix}99`, label: 'p99', colour: '--c4' },
];

const charts = [
  { title: 'Connections', format: short, whole: true, series: [{ column: 'connections', label: 'open', colour: '--c1', fill: true }] },
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
  ['Broadcast p95', () => seconds(stats.now('pass95')), () => `p99 ${seconds(stats.now('pass99'))}`],
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

/** What was refused, by the reasons of the metrics. */
const kinds = { connection: 'connection', socket: 'socket', message: 'message', delivery: 'dropped delivery' };
const UNKNOWN = 'unknown'; // the app of a key that no application has
const reasons = {
  connection: { unknown_app: 'unknown app key', disabled: 'app is disabled', version: 'protocol version', quota: 'over max_connections of the app', origin: 'origin is not allowed', draining: 'server is stopping' },
  socket: { max_connections: 'over limits.max_connections', per_address: 'over max_connections_per_address', emfile: 'out of file descriptors', timeout: 'no whole request in time', head_too_large: 'request head too large', bad_handshake: 'not a WebSocket handshake', tls: 'no TLS handshake', proxy_header: 'PROXY header', tls_on_plain_port: 'TLS on a port without', plain_on_tls_port: 'plain HTTP on a TLS port' },
  message: { 4009: 'subscription is not authorised', 4301: 'over the rate of client events', 4100: 'over capacity' },
};
const reasonText = (row) => reasons[row.kind]?.[row.reason] ?? (row.kind === 'message' ? `error ${row.reason}` : row.reason.replaceAll('_', ' '));

const ago = (ms) => span(Math.max(0, (stats.latest.now - ms) / 1000));
const SILENT = 3000; // ms after which a node's last sign of life is worth a word; it gives one each second

function aboutNode() {
  const { node } = stats.latest;
  return `${node.name} · version ${node.version} · up ${ago(node.started)}`;
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
  const refused = table({
    caption: 'Refused', empty: 'Nothing was refused since the start.',
    key: (row) => `${row.kind} ${row.reason} ${row.app ?? ''}`,
    columns: [
      { title: 'Reason', text: (row) => `${reasonText(row)} ${row.kind} ${row.app ?? ''}`, cell: (row) => h('div', { class: 'name' },
        h('span', { title: row.reason }, reasonText(row)), badge(kinds[row.kind] ?? row.kind), row.app && row.app !== UNKNOWN && badge(`app ${row.app}`)) },
      { title: 'Last minute', num: true, text: (row) => whole(row.recent) },
      { title: 'In all', num: true, text: (row) => whole(row.total) },
    ],
  });
  const moreRefused = h('p', { class: 'muted' });
  const nodes = table({
    caption: 'Nodes', key: (row) => row.id,
    columns: [
      { title: 'Node', text: (row) => `${row.name ?? row.id} ${silent(row)}`, cell: (row) => h('div', { class: 'name' },
        h('b', {}, row.name ?? row.id), row.self && badge('this node'), silent(row) && badge(`silent for ${silent(row)}`, 'warn')) },
      { title: 'Version', wide: true, text: (row) => row.version ?? '–' },
      { title: 'Up', num: true, text: (row) => (row.started ? ago(row.started) : '–') },
      { title: 'Connections', num: true, text: (row) => whole(row.connections) },
    ],
  });
  const cluster = h('section', { class: 'card', hidden: true }, h('h2', {}, 'Nodes'), nodes.el);
  const about = h('p', { class: 'lead' });

  function silent(row) {
    return row.heard && stats.latest.now - row.heard > SILENT ? ago(row.heard) : '';
  }

  function choose(secs) {
    range = secs;
    remember('range', secs);
    buttons.forEach((b, i) => b.setAttribute('aria-pressed', String(ranges[i][0] === secs)));
    update();
  }
  function update() {
    for (const tile of shown) tile.update();
    for (const c of drawn) c.update(range);
    if (!stats.latest) return;
    const { apps, all_apps: all, refused: rows, all_refused: allRows } = stats.latest;
    setText(about, aboutNode());
    refused.update(rows);
    setText(moreRefused, allRows > rows.length ? `and ${count(allRows - rows.length, 'more reason', 'more reasons')}` : '');
    cluster.hidden = !stats.latest.cluster.scaled;
    nodes.update(stats.latest.cluster.list);
    perApp.update(apps);
    setText(more, all > apps.length ? `and ${count(all - apps.length, 'more application', 'more applications')}` : '');
  }

  main.append(
    h('div', { class: 'bar' }, h('h1', {}, 'Overview'), h('div', { class: 'segments', role: 'group', 'aria-label': 'Time shown' }, buttons)),
    about,
    h('div', { class: 'tiles' }, shown.map((t) => t.el)),
    h('div', { class: 'charts' }, drawn.map((c) => c.card)),
    h('div', { class: 'cards' },
      h('section', { class: 'card' }, h('h2', {}, 'Applications'), perApp.el, more),
      h('section', { class: 'card' }, h('h2', {}, 'Refused'), refused.el, moreRefused), cluster));
  stats.listeners.add(update);
  update();
  return () => {
    stats.listeners.delete(update);
    for (const c of drawn) c.destroy();
  };
}

