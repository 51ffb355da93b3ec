// The pusher profile as Pusher's own libraries see it: what their acceptance tests expect of the service, and what pusher-js makes of refusals.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import PusherClient from 'pusher-js';
import { app, backEnd, startServer } from '../support/server.js';
import { next } from '../support/wait.js';

describe('the pusher profile', () => {
  let server, pusher;
  const clients = [];

  before(async () => {
    server = await startServer(0, 'profile = "pusher"\n');
    pusher = backEnd(server.port);
  });
  after(async () => {
    for (const c of clients) c.disconnect();
    await server.stop();
  });

  /** A client whose site signs everything, as the user that is given, but what is forbidden. */
  async function connect(user = 'u1') {
    const client = new PusherClient(app.key, {
      wsHost: '127.0.0.1', wsPort: server.port, forceTLS: false, enabledTransports: ['ws'], cluster: '', disableStats: true,
      channelAuthorization: {
        customHandler({ socketId, channelName }, callback) {
          const member = channelName.startsWith('presence-') ? { user_id: user } : undefined;
          const signed = pusher.authorizeChannel(socketId, channelName, member);
          callback(null, channelName.includes('forbidden') ? { ...signed, auth: `${app.key}:0` } : signed);
        },
      },
    });
    clients.push(client);
    await next(client.connection, 'connected');
    return client;
  }
  async function join(client, name) {
    const channel = client.subscribe(name);
    await next(channel, 'pusher:subscription_succeeded');
    return channel;
  }
  const answer = async (response) => [(await response).status, await (await response).json()];

  test('publishes answer an empty object', async () => {
    assert.deepEqual(await answer(pusher.trigger('integration', 'event', 'test')), [200, {}]);
    assert.deepEqual(await answer(pusher.triggerBatch([
      { channel: 'integration', name: 'event', data: 'test' }, { channel: 'integration2', name: 'event2', data: 'test2' },
    ])), [200, {}]);
    assert.deepEqual(await answer(pusher.sendToUser('7', 'event', 'test')), [200, {}]);
  });

  test('info counts presence channels, and nobody', async () => {
    const client = await connect();
    await join(client, 'news');
    assert.deepEqual(await answer(pusher.trigger(['news', 'presence-none'], 'event', 'test', { info: 'user_count,subscription_count' })),
      [200, { channels: { news: { subscription_count: 1 }, 'presence-none': { user_count: 0, subscription_count: 0 } } }]);
    assert.deepEqual(await answer(pusher.triggerBatch([
      { channel: 'news', name: 'event', data: 'test', info: 'subscription_count' }, { channel: 'other', name: 'event', data: 'test' },
      { channel: 'presence-none', name: 'event', data: 'test', info: 'user_count,subscription_count' },
    ])), [200, { batch: [{ subscription_count: 1 }, {}, { user_count: 0, subscription_count: 0 }] }]);
  });

  test('queries', async () => {
    const client = await connect('u7');
    await join(client, 'presence-room');
    const [, all] = await answer(pusher.get({ path: '/channels', params: { filter_by_prefix: 'presence-', info: 'user_count' } }));
    assert.deepEqual(all, { channels: { 'presence-room': { user_count: 1 } } });
    assert.deepEqual(await answer(pusher.get({ path: '/channels/CHANNEL' })), [200, { occupied: false }]);
    assert.deepEqual(await answer(pusher.get({ path: '/channels/presence-room/users' })), [200, { users: [{ id: 'u7' }] }]);
    assert.deepEqual(await answer(pusher.get({ path: '/channels/presence-none/users' })), [200, { users: [] }]);
    await assert.rejects(pusher.get({ path: '/channels/CHANNEL/users' }), { status: 400 });
    await assert.rejects(pusher.get({ path: '/channels', params: { filter_by_prefix: 'test_', info: 'user_count' } }), { status: 400 });
  });

  test('what is too large is told in words that the libraries look for', async () => {
    const data = 'a'.repeat(11 * 1024);
    await assert.rejects(pusher.trigger('news', 'event', data), ({ status, body }) => status === 413 && body.includes('content of this event'));
    const batch = Array.from({ length: 11 }, (_, n) => ({ channel: 'news', name: 'event', data: { n } }));
    await assert.rejects(pusher.triggerBatch(batch), ({ status, body }) => status === 400 && body.includes('Batch too large'));
  });

  for (const id of ['auth0|5f7', 'a b', 'José', '{x}']) {
    test(`the user ${id} is terminated`, async () => {
      const client = await connect(id);
      await join(client, 'presence-lobby');
      const gone = next(client.connection, 'disconnected');
      assert.deepEqual(await answer(pusher.terminateUserConnections(id)), [200, {}]);
      await gone;
    });
  }

  test('a refused subscribe has no code, and the client stays', async () => {
    const client = await connect();
    const error = next(client.connection, 'error');
    const refused = next(client.subscribe('private-forbidden'), 'pusher:subscription_error');
    assert.deepEqual((await error).data, { code: null, message: 'Connection is unauthorized' });
    assert.equal((await refused).status, 401);
    await join(client, 'private-news');
    const again = next(client.connection, 'error');
    client.connection.send_event('pusher:subscribe', { channel: 'private-news' });
    assert.deepEqual((await again).data, { code: null, message: 'Existing subscription to channel private-news' });
    assert.equal(client.connection.state, 'connected');
  });

  test('client events carry any JSON', async () => {
    const [one, two] = [await connect(), await connect()];
    const [from, to] = [await join(one, 'private-pair'), await join(two, 'private-pair')];
    for (const data of ['text', '', 5, -1.5, true, false, null, { a: 1 }, [1, 'b']]) {
      const got = next(to, 'client-any');
      from.trigger('client-any', data);
      assert.deepEqual(await got, data);
    }
  });

  test('a refused client event names its channel', async () => {
    const client = await connect();
    const channel = await join(client, 'private-busy');
    const error = next(channel, 'pusher:error');
    for (let n = 0; n < 11; n++) channel.trigger('client-n', { n });
    assert.deepEqual(await error, { code: 4301, message: 'Rate limit exceeded' });
  });
});
