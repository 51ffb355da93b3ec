// The frame around the views: where one is, the login, the pace of the numbers, the keyboard.
import { get, onLocked, post } from './api.js';
import { h, inform, setText, toast } from './dom.js';
import { apps, remember, remembered, stats } from './state.js';
import { clock, span } from './format.js';
import { overview } from './overview.js';
import { channelList, oneChannel } from './channels.js';
import { connectionList, oneConnection } from './connections.js';
import { events } from './events.js';
import { send } from './send.js';
import { login } from './login.js';

const views = [
  [/^\/$/, 'Overview', overview, '#/'],
  [/^\/channels$/, 'Channels', channelList, '#/channels'],
  [/^\/channel\/([^/]+)\/(.+)$/, 'Channel', oneChannel, '#/channels'],
  [/^\/connections$/, 'Connections', connectionList, '#/connections'],
  [/^\/connection\/([^/]+)$/, 'Connection', oneConnection, '#/connections'],
  [/^\/events$/, 'Events', events, '#/events'],
  [/^\/send$/, 'Send', send, '#/send'],
];

const main = document.getElementById('main');
const top = document.querySelector('header.top');
let leave = () => {}; // ends the view that is shown
let locked = false;

/** The parts of an address; null when it was mistyped. */
function decoded(parts) {
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return null;
  }
}

/** Shows what the address names. A view gets its place and returns how to end it. */
function show(moved) {
  leave();
  leave = () => {};
  const [path, search] = location.hash.slice(1).split('?');
  for (const [pattern, title, view, link] of views) {
    const match = (path || '/').match(pattern);
    const names = match && decoded(match.slice(1));
    if (!names) continue;
    document.title = `${title} · Reverb`;
    for (const a of document.querySelectorAll('nav a')) {
      if (a.getAttribute('href') === link) a.setAttribute('aria-current', 'page');
      else a.removeAttribute('aria-current');
    }
    main.className = `view-${title.toLowerCase()}`;
    main.replaceChildren();
    leave = view(main, names, new URLSearchParams(search)) ?? leave;
    if (moved) {
      main.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    pace();
    return;
  }
  location.hash = '#/';
}

let timer;
let busy = false;
/** Asks for the numbers: each second while they are drawn, else just often enough to know that the server is there. */
async function pace() {
  clearTimeout(timer);
  if (locked || document.hidden || busy) return;
  busy = true;
  try {
    await stats.load();
    tellLive('live', 'Live');
  } catch (err) {
    tellLive('lost', err.status === 401 ? 'Logged out' : 'No answer');
    if (err.status !== 401) tellLost(err.message);
  }
  busy = false;
  clearTimeout(timer);
  const often = main.className === 'view-overview' || document.body.classList.contains('lost');
  if (!locked) timer = setTimeout(pace, often ? 1000 : 5000);
}

/** Dims the numbers of a server that does not answer, and says of when they are. */
function tellLost(why) {
  document.body.classList.toggle('lost', Boolean(why));
  const banner = document.getElementById('lost');
  banner.hidden = !why;
  if (!why) return;
  const since = stats.at === null ? '' : ` since ${clock(stats.at)}, ${span((Date.now() - stats.at) / 1000)} ago. What is shown is of then.`;
  setText(banner, `${why.replace(/\.$/, '')}${since || '.'}`);
}

function tellLive(state, text) {
  if (state === 'live') tellLost('');
  const pill = document.getElementById('live');
  const now = stats.latest;
  if (state === 'live' && now && !now.ready) [state, text] = ['drain', 'Draining'];
  else if (state === 'live' && now?.cluster.scaled && !now.cluster.up) [state, text] = ['drain', 'Redis is away'];
  pill.className = `pill ${state}`;
  setText(pill.lastElementChild, text);
  if (!now) return;
  setText(document.getElementById('node'), now.node.name);
  document.getElementById('node').title = `${now.node.version}, up ${span((now.now - now.node.started) / 1000)}`;
}

async function begin() {
  let session;
  try {
    session = await get('session');
  } catch (err) {
    main.replaceChildren(h('p', { class: 'note' }, err.message));
    setTimeout(begin, 3000);
    return;
  }
  locked = !session.open;
  document.getElementById('logout').hidden = !session.locked;
  top.hidden = locked;
  if (locked) {
    tellLost('');
    leave();
    leave = () => {};
    document.title = 'Log in · Reverb';
    main.className = 'view-login';
    login(main, begin);
    return;
  }
  try {
    await Promise.all([apps.load(), stats.load()]); // views ask whether there are other nodes
  } catch (err) {
    toast(err.message, 'bad');
  }
  show(false);
}

onLocked.call = () => {
  if (!locked) begin();
};

const themes = ['auto', 'light', 'dark'];
function nextTheme() {
  const next = themes[(themes.indexOf(remembered('theme', 'auto')) + 1) % themes.length];
  remember('theme', next);
  if (next === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  toast(`Colours: ${next === 'auto' ? 'as the system says' : next}`);
  dispatchEvent(new Event('reverb-theme'));
}

const keys = [
  ['1 – 5', 'the five views'], ['/', 'search or filter'], ['p', 'pause the events'], ['t', 'light, dark or as the system says'], ['?', 'this help'],
];
function help() {
  inform('Keyboard', h('dl', { class: 'keys' }, keys.map(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)])));
}

addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || locked || document.getElementById('dialog').open) return;
  if (e.target.closest('input, textarea, select')) {
    if (e.key === 'Escape') e.target.blur();
    return;
  }
  const links = [...document.querySelectorAll('nav a')];
  if (/^[1-5]$/.test(e.key)) location.hash = links[e.key - 1].getAttribute('href');
  else if (e.key === '/') document.querySelector('main input[type=search]')?.focus();
  else if (e.key === 'p') document.getElementById('pause')?.click();
  else if (e.key === 't') nextTheme();
  else if (e.key === '?') help();
  else return;
  e.preventDefault();
});

addEventListener('hashchange', () => { if (!locked) show(true); });
document.addEventListener('visibilitychange', pace);
document.getElementById('theme').onclick = nextTheme;
document.getElementById('keys').onclick = help;
document.getElementById('logout').onclick = async () => {
  await post('logout').catch((err) => toast(err.message, 'bad'));
  begin();
};
document.querySelector('.skip').onclick = (e) => {
  e.preventDefault(); // the fragment is the view
  main.focus();
};
begin();
