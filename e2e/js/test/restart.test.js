// A node alone is restarted under clients that listen and a back end that publishes. What they miss is what Laravel Reverb's clients
// miss: the events of the second after which pusher-js comes back, 5, and 6 where coming back takes a while. REVERB_SITE names the folder
// of a Laravel site with laravel/reverb; its server is then restarted in the same way, and must not cost its clients less.
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import Pusher8 from 'pusher-js';
import Pusher7 from 'pusher-js-7';
import { app, backEnd, startActivated, startServer, startSiteServer } from '../support/server.js';
import { next } from '../support/wait.js';

const clients = 60;
const every = 200; // ms between two events
const before = 10; // events before the restart
const second = 1000; // ms; a machine that is too busy to start the next server in it tells nothing, and tries again
const patience = 150; // events at most: pusher-js waits for 15 s when it is refused
const site = process.env.REVERB_SITE;

/** `missed` is how many events the restart may cost a client. */
const programs = [
  // Those of the second after which pusher-js comes back, and one for a busy machine.
  { name: 'a server', start: (port) => startServer(port, '', 10), missed: 6 },
  // The port stays open, and clients come back at once: 1, fewer than those of a second on a busy machine.
  { name: 'a server with socket activation', start: startActivated, missed: 4 },
];
if (site) programs.push({ name: 'Laravel Reverb', start: (port) => startSiteServer(site, port), missed: patience });

for (const [version, Pusher] of [['8', Pusher8], ['7', Pusher7]]) {
  describe(`a restart under pusher-js ${version}`, () => {
    const most = {};
    for (const { name, start, missed } of programs) {
      test(`of ${name}`, async (t) => {
        for (let tries = 0, back = second; tries < 3 && back >= second; tries++) {
          let counts, refused, gone;
          ({ counts, refused, gone, back } = await restartUnder(Pusher, start));
          most[name] = Math.max(...counts);
          t.diagnostic(`events missed by a client: ${Math.min(...counts)} to ${most[name]}; publishes refused: ${refused}; the server was gone after ${gone.toFixed()} ms, the next one there after ${back.toFixed()} ms`);
        }
        assert.ok(most[name] <= missed, `a client missed ${most[name]} events, at most ${missed} are expected`);
      });
    }
    if (site) {
      test('costs no more than that of Laravel Reverb', () => assert.ok(most['a server'] <= most['Laravel Reverb'], JSON.stringify(most)));
    }
  });
}

async function restartUnder(Pusher, start) {
  let server = await start();
  const { port } = server;
  const all = [];
  for (let i = 0; i < clients; i++) {
    const pusher = new Pusher(app.key, {
      cluster: '', wsHost: '127.0.0.1', wsPort: port, forceTLS: false, enabledTransports: ['ws'], disableStats: true,
    });
    const channel = pusher.subscribe('news');
    const client = { pusher, heard: new Set(), last: -1 };
    channel.bind('n', ({ n }) => { client.heard.add(n); client.last = n; });
    await next(channel, 'pusher:subscription_succeeded');
    all.push(client);
  }
  const publisher = backEnd(port);
  let gone, back; // ms after the signal
  const restart = async () => {
    const signalled = performance.now();
    const next = await server.stop();
    gone = performance.now() - signalled;
    server = await (next ? next() : start(port));
    back = performance.now() - signalled;
  };
  let refused = 0, restarted, n = 0;
  const published = [];
  for (let begun = performance.now(); n < patience; n++) {
    await delay(begun + n * every - performance.now());
    const id = n;
    published.push(publisher.trigger('news', 'n', { n: id }).catch(() => { refused++; }));
    if (n === before) restarted = delay(every / 10).then(restart);
    if (n > before + 2 && all.every((c) => c.last > before)) break;
  }
  await Promise.all([...published, restarted]);
  for (const c of all) c.pusher.disconnect();
  await server.stop();
  assert.ok(all.every((c) => c.last > before), 'every client is back');
  return { counts: all.map((c) => [...Array(c.last).keys()].filter((i) => !c.heard.has(i)).length), refused, gone, back };
}
