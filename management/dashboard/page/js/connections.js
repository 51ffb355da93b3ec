// The connections of this node, and one of them.
import { enc, get, post } from './api.js';
import { badge, confirm, h, kindBadge, setText, socketLink, toast } from './dom.js';
import { bytes, count, span } from './format.js';
import { list } from './list.js';
import { pickApp } from './pick.js';
import { apps } from './state.js';
import { table } from './table.js';
import { channelLink } from './channels.js';

export function connectionList(main) {
  let app = '';
  const shown = list({
    label: 'Connections',
    path: () => 'connections',
    params: () => ({ app }),
    rows: (a) => a.connections, total: (a) => a.total, key: (row) => row.socket_id,
    note: (a) => `${count(a.total, 'connection')} of this node`,
    sort: 'age', order: 'asc',
    controls: [pickApp((id) => { app = id; shown.load(); }, { all: 'All applications', value: '' })],
    empty: () => 'No connection.',
    columns: [
      { title: 'Socket', text: (row) => `${row.socket_id} ${row.pinged}`, cell: (row) => h('div', { class: 'name' },
        socketLink(row.socket_id), row.pinged && badge('pinged', 'warn')) },
      { title: 'Application', sort: 'app', wide: true, text: (row) => row.app },
      { title: 'Address', sort: 'address', wide: true, text: (row) => row.address },
      { title: 'Age', sort: 'age', num: true, text: (row) => span(row.age) },
      { title: 'Last seen', sort: 'idle', num: true, wide: true, text: (row) => span(row.idle) },
      { title: 'Waiting', sort: 'waiting', num: true, text: (row) => bytes(row.waiting) },
    ],
  });
  main.append(h('div', { class: 'bar' }, h('h1', {}, 'Connections')), shown.el);
  return () => shown.stop();
}

export function oneConnection(main, [id]) {
  const facts = h('dl', { class: 'facts' });
  const known = h('section', { class: 'card' }, facts);
  const state = h('p', { class: 'muted', role: 'status' });
  const close = h('button', { class: 'danger', onclick: closeIt }, 'Close the connection');
  let app = '';
  const channels = table({
    caption: 'Channels', key: (row) => row.channel, empty: 'Not subscribed to any channel.',
    columns: [
      { title: 'Channel', text: (row) => `${row.channel} ${row.kind}`, cell: (row) => h('div', { class: 'name' }, h('a', { href: channelLink(app, row.channel) }, row.channel), kindBadge(row.kind)) },
      { title: 'As user', text: (row) => row.user_id ?? '' },
    ],
  });
  let timer;

  async function closeIt() {
    const sure = await confirm({ title: 'Close this connection?', action: 'Close it', text: 'Most clients come back by themselves, with another socket id.' });
    if (!sure) return;
    try {
      await post(`connections/${enc(id)}/close`);
      toast('The connection was closed.');
      load();
    } catch (err) {
      toast(err.message, 'bad');
    }
  }

  async function load() {
    clearTimeout(timer);
    try {
      const { connection: c, subscriptions, more } = await get(`connections/${enc(id)}`);
      app = c.app;
      const rows = [['Application', c.app], ['Address', c.address || '–'], ['Age', span(c.age)], ['Last seen', `${span(c.idle)} ago`],
        ['Waiting for the socket', bytes(c.waiting)], ['Ping', c.pinged ? 'waits for an answer' : 'no answer is due']];
      if (!facts.children.length) facts.append(...rows.map(([name]) => h('div', {}, h('dt', {}, name), h('dd'))));
      rows.forEach(([, value], i) => setText(facts.children[i].lastElementChild, value));
      channels.update(subscriptions.sort((a, b) => (a.channel < b.channel ? -1 : 1)));
      setText(state, `${count(subscriptions.length, 'channel')}${more ? ' and more' : ''}`);
    } catch (err) {
      setText(state, err.status === 404 ? 'This connection has ended, or is on another node.' : err.message);
      if (err.status === 404) {
        close.hidden = true;
        if (!facts.children.length) known.hidden = channels.el.hidden = true; // nothing was ever known of it
        return;
      }
    }
    timer = setTimeout(load, 3000);
  }

  main.append(
    h('a', { class: 'back', href: '#/connections' }, 'Connections'),
    h('div', { class: 'bar' }, h('h1', { class: 'mono' }, id), h('div', { class: 'buttons' }, close)),
    known,
    h('section', { class: 'card list' }, h('h2', {}, 'Channels'), state, channels.el));
  load();
  return () => clearTimeout(timer);
}
