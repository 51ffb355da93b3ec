// laravel-echo with its `reverb` broadcaster, in Node, against the real program.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import Echo from 'laravel-echo';
import PusherClient from 'pusher-js';
import { app, backEnd, startServer, startSite } from '../support/server.js';
import { next, within } from '../support/wait.js';

describe('laravel-echo', () => {
  let server, site, pusher;
  const echoes = [];

  before(async () => {
    server = await startServer();
    site = await startSite();
    pusher = backEnd(server.port);
  });
  after(async () => {
    for (const e of echoes) e.disconnect();
    await site.stop();
    await server.stop();
  });

  async function connect() {
    const echo = new Echo({
      broadcaster: 'reverb', key: app.key, wsHost: '127.0.0.1', wsPort: server.port, wssPort: server.port, forceTLS: false,
      enabledTransports: ['ws'], Pusher: PusherClient, authEndpoint: `${site.url}/broadcasting/auth`,
    });
    echoes.push(echo);
    await next(echo.connector.pusher.connection, 'connected');
    return echo;
  }
  const heard = (listen, what) => within(new Promise(listen), what);

  test('channel and private channel', async () => {
    const echo = await connect();
    for (const [join, name] of [[() => echo.channel('orders'), 'orders'], [() => echo.private('orders.1'), 'private-orders.1']]) {
      const channel = join();
      await heard((resolve) => channel.subscribed(resolve), `${name} subscribed`);
      const got = heard((resolve) => channel.listen('OrderShipped', resolve), 'OrderShipped');
      await pusher.trigger(name, 'App\\Events\\OrderShipped', { id: 7 });
      assert.deepEqual(await got, { id: 7 });
    }
  });

  test('presence: here, joining, leaving, whisper', async () => {
    const [one, two] = [await connect(), await connect()];
    const room = one.join('chat');
    assert.equal((await heard((resolve) => room.here(resolve), 'here')).length, 1);
    const joining = heard((resolve) => room.joining(resolve), 'joining');
    const other = two.join('chat');
    assert.equal((await heard((resolve) => other.here(resolve), 'here')).length, 2);
    assert.match((await joining).name, /^User/);
    const whisper = heard((resolve) => room.listenForWhisper('typing', resolve), 'whisper');
    other.whisper('typing', { name: 'x' });
    assert.deepEqual(await whisper, { name: 'x' });
    const leaving = heard((resolve) => room.leaving(resolve), 'leaving');
    two.leave('chat');
    assert.match((await leaving).name, /^User/);
  });

  test('a refused subscription calls error()', async () => {
    const echo = await connect();
    const status = heard((resolve) => echo.private('forbidden').error(resolve), 'error');
    assert.equal((await status).status, 403);
  });
});
