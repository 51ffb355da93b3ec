// The stock pusher-js client and the official `pusher` server library against the real program.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import PusherClient from 'pusher-js';
import { app, backEnd, startServer, startSite } from '../support/server.js';
import { next, within } from '../support/wait.js';

describe('pusher-js', () => {
  let server, site, pusher;
  const clients = [];

  before(async () => {
    server = await startServer(0, '\n');
    site = await startSite();
    pusher = backEnd(server.port);
  });
  after(async () => {
    for (const c of clients) c.disconnect();
    await site.stop();
    await server.stop();
  });

  async function connect(key = app.key) {
    const client = new PusherClient(key, {
      wsHost: '127.0.0.1', wsPort: server.port, forceTLS: false, enabledTransports: ['ws'], cluster: '', disableStats: true,
      channelAuthorization: { endpoint: `${site.url}/broadcasting/auth` },
    });
    clients.push(client);
    await next(client.connection, 'connected');
    return client;
  }
  async function join(client, name) {
    const channel = client.subscribe(name);
    const members = await next(channel, 'pusher:subscription_succeeded');
    return { channel, members };
  }

  test('an event of the back end reaches a public and a private channel', async () => {
    const client = await connect();
    for (const name of ['public-news', 'private-news']) {
      const { channel } = await join(client, name);
      const got = next(channel, 'App\\Events\\News');
      await pusher.trigger(name, 'App\\Events\\News', { text: 'Grüße/<b>', n: 1.5 });
      assert.deepEqual(await got, { text: 'Grüße/<b>', n: 1.5 });
    }
  });

  test('toOthers: the excluded socket hears nothing', async () => {
    const [one, two] = [await connect(), await connect()];
    const a = (await join(one, 'orders')).channel;
    const b = (await join(two, 'orders')).channel;
    const seen = [];
    a.bind('first', () => seen.push('first'));
    const [heard, second] = [next(b, 'first'), next(a, 'second')];
    await pusher.trigger('orders', 'first', {}, { socket_id: one.connection.socket_id });
    await pusher.trigger('orders', 'second', {});
    await Promise.all([heard, second]);
    assert.deepEqual(seen, []);
  });

  test('presence: members come and go, client events carry the user', async () => {
    const [one, two] = [await connect(), await connect()];
    const a = await join(one, 'presence-room');
    assert.equal(a.members.count, 1);
    const added = next(a.channel, 'pusher:member_added');
    const b = await join(two, 'presence-room');
    assert.equal(b.members.count, 2);
    assert.equal((await added).id, b.members.myID);
    const typing = within(new Promise((resolve) => a.channel.bind('client-typing', (data, meta) => resolve([data, meta]))), 'client-typing');
    b.channel.trigger('client-typing', { on: true });
    assert.deepEqual(await typing, [{ on: true }, { user_id: b.members.myID }]);
    const { myID } = b.members; // pusher-js forgets it when it disconnects
    const removed = next(a.channel, 'pusher:member_removed');
    two.disconnect();
    assert.equal((await removed).id, myID);
    assert.equal(a.channel.members.count, 1);
  });

  test('cache channel: a miss, then the last event', async () => {
    const client = await connect();
    const cached = client.subscribe('cache-price');
    await next(cached, 'pusher:cache_miss');
    const got = next(cached, 'price');
    await pusher.trigger('cache-price', 'price', { eur: 3 });
    await got;
    const late = await connect();
    assert.deepEqual(await next(late.subscribe('cache-price'), 'price'), { eur: 3 });
  });

  test('encrypted channel', async () => {
    const client = await connect();
    const { channel } = await join(client, 'private-encryptedness');
    const got = next(channel, 'e');
    await pusher.trigger('private-encryptedness', 'e', 'cipher');
    assert.equal(await got, 'cipher');
  });

  test('an unknown key is refused for ever', async () => {
    const client = new PusherClient('nobody', { wsHost: '127.0.0.1', wsPort: server.port, forceTLS: false, enabledTransports: ['ws'], cluster: '' });
    clients.push(client);
    const error = await next(client.connection, 'error');
    assert.equal(error.data?.code ?? error.error?.data?.code, 4001);
    await within(new Promise((resolve) => {
      if (client.connection.state === 'disconnected' || client.connection.state === 'failed') resolve();
      client.connection.bind('state_change', ({ current }) => current === 'disconnected' && resolve());
    }), 'disconnected');
  });

  test('the server library: batch, channels, users, terminate', async () => {
    const client = await connect();
    const { channel, members } = await join(client, 'presence-api');
    const got = [next(channel, 'one'), next(channel, 'two')];
    await pusher.triggerBatch([{ channel: 'presence-api', name: 'one', data: '1' }, { channel: 'presence-api', name: 'two', data: '2' }]);
    await Promise.all(got);
    const get = async (path, params) => (await pusher.get({ path, params })).json();
    assert.deepEqual((await get('/channels', { filter_by_prefix: 'presence-api', info: 'user_count' })).channels, { 'presence-api': { user_count: 1 } });
    assert.deepEqual(await get('/channels/presence-api', { info: 'user_count' }), { occupied: true, user_count: 1 });
    assert.deepEqual(await get('/channels/presence-api/users'), { users: [{ id: members.myID }] });
    const gone = next(client.connection, 'disconnected').catch(() => null);
    const left = within(new Promise((resolve) => client.connection.bind('state_change', ({ previous }) => previous === 'connected' && resolve())), 'terminated');
    await pusher.terminateUserConnections(members.myID);
    await left;
    client.disconnect();
    await gone;
  });

  test('a wrong secret is an error for the back end', async () => {
    const other = backEnd(server.port);
    other.config.token.secret = 'wrong';
    await assert.rejects(other.trigger('a', 'b', {}), (e) => e.status === 401);
  });
});
