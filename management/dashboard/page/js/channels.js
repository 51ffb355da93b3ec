// The channels of an application, and one of them.
import { enc, post } from './api.js';
import { confirm, h, kindBadge, setText, socketLink, toast } from './dom.js';
import { count, pretty, whole } from './format.js';
import { list } from './list.js';
import { pickApp } from './pick.js';
import { apps, remember, remembered, stats } from './state.js';

const kinds = ['public', 'private', 'presence', 'encrypted', 'public cache', 'private cache', 'presence cache', 'encrypted cache'];
export const channelLink = (app, name) => `#/channel/${enc(app)}/${enc(name)}`;

export function channelList(main) {
  let app = apps.current;
  const kind = h('select', { 'aria-label': 'Kind', onchange: () => shown.load() },
    h('option', { value: '' }, 'All kinds'), kinds.map((k) => h('option', { value: k }, k)));
  const scope = h('select', { 'aria-label': 'Nodes', onchange: () => { remember('scope', scope.value); shown.load(); } },
    h('option', { value: '' }, 'This node'), h('option', { value: 'all' }, 'All nodes'));
  const scale = () => { scope.hidden = !stats.latest?.cluster.scaled; };
  scope.value = remembered('scope', '');
  stats.listeners.add(scale);
  scale();
  const shown = list({
    label: 'Channels',
    path: () => `apps/${enc(app)}/channels`,
    params: () => ({ kind: kind.value, scope: scope.hidden ? '' : scope.value }),
    rows: (a) => a.channels, total: (a) => a.total, key: (row) => row.name,
    note: (a) => `${count(a.total, 'channel')}, ${count(a.subscriptions, 'subscription')}${a.partial ? ' (not all nodes have answered)' : ''}`,
    sort: 'subscriptions', order: 'desc',
    controls: [kind, scope, pickApp((id) => { app = id; shown.load(); })],
    empty: () => (kind.value ? `No ${kind.value} channel has a subscriber.` : 'No channel has a subscriber.'),
    columns: [
      { title: 'Channel', sort: 'name', text: (row) => `${row.name} ${row.kind} ${row.cached}`, cell: (row) => h('div', { class: 'name' },
        h('a', { href: channelLink(app, row.name) }, row.name), kindBadge(row.kind), row.cached && h('span', { class: 'badge' }, 'has an event')) },
      { title: 'Subscriptions', sort: 'subscriptions', num: true, text: (row) => whole(row.subscriptions) },
      { title: 'Users', sort: 'users', num: true, text: (row) => (row.kind.startsWith('presence') ? whole(row.users) : '') },
    ],
  });
  main.append(h('div', { class: 'bar' }, h('h1', {}, 'Channels')), shown.el);
  return () => {
    stats.listeners.delete(scale);
    shown.stop();
  };
}

export function oneChannel(main, [app, name]) {
  const presence = name.startsWith('presence-');
  const facts = h('p', { class: 'lead' });
  const kind = h('span');
  const cache = h('pre', { tabindex: '0' });
  const cached = h('section', { class: 'card', hidden: true }, h('h2', {}, 'Cached event'), cache);

  async function closeUser(id) {
    const sure = await confirm({ title: `Disconnect ${id}?`, action: 'Disconnect', text: 'All connections of this user are closed, on all nodes. Most clients come back by themselves and are authorised again.' });
    if (!sure) return;
    try {
      await post(`apps/${enc(app)}/users/close`, { user_id: id });
      toast(`The connections of ${id} were closed.`);
      shown.load();
    } catch (err) {
      toast(err.message, 'bad');
    }
  }

  const members = {
    label: 'Members', rows: (a) => a.members ?? [], total: (a) => a.members_total ?? 0, key: (row) => row.id,
    note: (a, all) => count(all, 'member'), empty: () => 'No members.', sort: 'place',
    columns: [
      { title: 'Came', sort: 'place', num: true, wide: true, text: (row) => whole(row.place) },
      { title: 'User', sort: 'id', text: (row) => row.id },
      { title: 'Info', sort: 'info', text: (row) => row.info, cell: (row) => h('code', { class: 'clip', title: row.info }, row.info || '–') },
      { title: '', text: () => 'x', num: true, cell: (row) => h('button', { class: 'small danger', 'aria-label': `Disconnect ${row.id}`, onclick: () => closeUser(row.id) }, 'Disconnect') },
    ],
  };
  const sockets = {
    label: 'Sockets', rows: (a) => a.sockets ?? [], total: (a) => a.sockets_total ?? 0, key: (row) => row.socket_id,
    note: (a, all) => `${count(all, 'socket')} on this node`, empty: () => 'No sockets on this node.',
    columns: [{ title: 'Socket', text: (row) => row.socket_id, cell: (row) => socketLink(row.socket_id) }],
  };
  const shown = list({
    ...(presence ? members : sockets),
    path: () => `apps/${enc(app)}/channel`, params: () => ({ name }),
    onanswer(answer) {
      kind.replaceChildren(kindBadge(answer.channel.kind));
      setText(facts, `${count(answer.channel.subscriptions, 'subscription')}${presence ? `, ${count(answer.channel.users, 'user')}` : ''}${answer.partial ? ' (not all nodes have answered)' : ''}`);
      setText(cache, pretty(answer.cache));
      cached.hidden = !answer.cache;
    },
  });
  if (!presence) shown.el.querySelector('input').remove(); // sockets are paged, not searched
  main.append(
    h('a', { class: 'back', href: '#/channels' }, 'Channels'),
    h('div', { class: 'bar' }, h('h1', { class: 'break' }, name, ' ', kind),
      h('div', { class: 'buttons' },
        h('a', { class: 'button', href: `#/events?app=${enc(app)}&q=${enc(name)}` }, 'View events'),
        h('a', { class: 'button', href: `#/send?app=${enc(app)}&channel=${enc(name)}` }, 'Send an event'))),
    facts, shown.el, cached);
  return () => shown.stop();
}
