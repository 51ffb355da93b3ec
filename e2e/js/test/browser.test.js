// A page with pusher-js and Echo in a real browser: public, private and presence channels, a whisper, a restart of the server.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from '../support/chromium.js';
import { backEnd, startServer, startSite } from '../support/server.js';

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));

describe('a browser', () => {
  let server, site, browser;

  before(async () => {
    server = await startServer();
    site = await startSite({
      '/': join(here, '../page/index.html'),
      '/pusher.js': join(dirname(require.resolve('pusher-js/package.json')), 'dist/web/pusher.min.js'),
      '/seven': join(here, '../page/seven.html'),
      '/pusher-7.js': join(dirname(require.resolve('pusher-js-7/package.json')), 'dist/web/pusher.min.js'),
      '/echo.js': join(dirname(require.resolve('laravel-echo')), 'echo.iife.js'),
    });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
    await server?.stop();
  });

  /** Opens the page and waits until all three channels are joined. */
  async function open() {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${site.url}/?port=${server.port}`);
    for (const what of ['news subscribed', 'orders subscribed', 'here']) await heard(page, what);
    return page;
  }
  /**
   * What the page heard under that name, the count-th time. After a refused connection pusher-js waits 15 s before it tries again,
   * so coming back from a restart takes as long.
   */
  async function heard(page, what, count = 1) {
    await page.waitForFunction(([w, n]) => window.heard.filter((h) => h.what === w).length >= n, [what, count], { timeout: 40_000 });
    return page.evaluate(([w, n]) => window.heard.filter((h) => h.what === w)[n - 1].data, [what, count]);
  }

  test('joins, hears, whispers and survives a restart', async () => {
    const [one, two] = [await open(), await open()];
    await heard(one, 'joining');

    const pusher = backEnd(server.port);
    await pusher.trigger('news', 'news', { title: 'hello' });
    await pusher.trigger('private-orders', 'order', { id: 1 });
    for (const page of [one, two]) {
      assert.deepEqual(await heard(page, 'news'), { title: 'hello' });
      assert.deepEqual(await heard(page, 'order'), { id: 1 });
    }
    await two.evaluate(() => window.room.whisper('typing', { who: 'two' }));
    assert.deepEqual(await heard(one, 'whisper'), { who: 'two' });

    const { port } = server;
    await server.stop();
    server = await startServer(port);
    for (const page of [one, two]) {
      await heard(page, 'connected', 2);
      await heard(page, 'orders subscribed', 2);
      await heard(page, 'news subscribed', 2);
    }
    await pusher.trigger(['news', 'private-orders'], 'news', { title: 'again' });
    for (const page of [one, two]) assert.deepEqual(await heard(page, 'news', 2), { title: 'again' });
  });

  // pusher-js 7 gives a transport up for ever that has ended twice without a close frame.
  test('pusher-js 7 comes back however often its user is terminated', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${site.url}/seven?port=${server.port}`);
    const pusher = backEnd(server.port);
    for (let times = 0; times < 4; times++) {
      await page.waitForFunction((n) => window.joined.length > n, times, { timeout: 10_000 });
      await pusher.terminateUserConnections(await page.evaluate((n) => window.joined[n], times));
    }
  });
});
