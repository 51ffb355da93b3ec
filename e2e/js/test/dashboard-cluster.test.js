// The live page of a node among others, and of one that goes away.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import Pusher from 'pusher-js';
import { launch } from '../support/chromium.js';
import { startRedis } from '../support/redis.js';
import { app, startServer } from '../support/server.js';
import { next, until } from '../support/wait.js';

describe('the live page of a cluster', () => {
  let redis, here, there, browser, page, url;
  const clients = [];

  before(async () => {
    redis = await startRedis();
    const node = () => startServer(0, `
[scaling]
enabled = true
[scaling.redis]
port = ${redis.port}
[dashboard]
enabled = true
listen = "127.0.0.1:0"
insecure_local = true
`);
    [here, there] = await Promise.all([node(), node()]);
    for (const [server, channel] of [[here, 'of-this-node'], [there, 'of-the-other'], [there, 'of-the-other']]) {
      const pusher = new Pusher(app.key, { wsHost: '127.0.0.1', wsPort: server.port, forceTLS: false, enabledTransports: ['ws'], cluster: 'x', disableStats: true });
      clients.push(pusher);
      await next(pusher.subscribe(channel), 'pusher:subscription_succeeded');
    }
    await until(() => here.find(/dashboard is served/));
    url = here.find(/dashboard is served.*url=(http:\/\/127\.0\.0\.1:\d+\/)/);
    browser = await launch();
    page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
    await page.goto(url);
  });
  after(async () => {
    for (const c of clients) c.disconnect();
    await browser?.close();
    await here?.stop();
    await there?.stop();
    await redis?.stop();
  });

  test('lists the nodes', async () => {
    const nodes = page.locator('section', { has: page.getByRole('heading', { name: 'Nodes' }) });
    await nodes.getByRole('row', { name: /this node .* 1$/ }).waitFor();
    await until(async () => await nodes.locator('tbody tr').count() === 2 && / 2$/.test((await nodes.locator('tbody tr').nth(1).innerText()).replace(/\s+/g, ' ').trim()));
  });

  test('keeps the choice of all nodes', async () => {
    await page.goto(`${url}#/channels`);
    await page.getByText('of-this-node').waitFor();
    assert.equal(await page.getByText('of-the-other').count(), 0);
    await page.getByLabel('Nodes').selectOption('All nodes');
    await page.getByText('of-the-other').waitFor();
    await page.reload();
    await page.getByText('of-the-other').waitFor();
    assert.equal(await page.getByLabel('Nodes').inputValue(), 'all');
  });

  test('says since when there is no answer, and dims what is old', async () => {
    await page.goto(`${url}#/`);
    await page.getByText('Live', { exact: true }).waitFor();
    assert.equal(await page.locator('.tiles').evaluate((el) => getComputedStyle(el).opacity), '1');
    here.signal('SIGSTOP');
    try {
      await page.getByText(/does not answer since \d\d:\d\d:\d\d/).waitFor();
      assert.ok(await page.locator('.tiles').evaluate((el) => getComputedStyle(el).opacity) < 0.6);
    } finally {
      here.signal('SIGCONT');
    }
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText(/does not answer/).waitFor({ state: 'hidden' });
    assert.equal(await page.locator('.tiles').evaluate((el) => getComputedStyle(el).opacity), '1');
  });
});
