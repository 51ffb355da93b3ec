// The live page in a real browser: the login, the charts, channels, members, a connection, the tail, sending, closing; below a path
// of a proxy; wide and on a phone, light and dark. With SCREENSHOTS=dir it leaves pictures there.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer, request } from 'node:http';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import Pusher from 'pusher-js';
import { launch } from '../support/chromium.js';
import { app, backEnd, startServer, startSite } from '../support/server.js';
import { until } from '../support/wait.js';

const password = 'correct horse battery';
const hash = execFileSync(process.env.REVERB_BIN, ['dashboard-password'], { input: `${password}\n` }).toString().trim();
const pictures = process.env.SCREENSHOTS;

/** A proxy that serves the page below /ops/, as `location /ops/ { proxy_pass http://…/; }` of Nginx does. */
async function startProxy(port) {
  const proxy = createServer((req, res) => {
    if (!req.url.startsWith('/ops/')) return res.writeHead(404).end();
    const headers = { ...req.headers, 'x-forwarded-for': '203.0.113.7' };
    const up = request({ host: '127.0.0.1', port, method: req.method, path: req.url.slice(4), headers }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    });
    up.on('error', () => res.destroy());
    req.pipe(up);
    res.on('close', () => up.destroy());
    return undefined;
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `http://127.0.0.1:${proxy.address().port}/ops/`,
    async stop() {
      proxy.closeAllConnections();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}

describe('the live page', () => {
  let server, site, proxy, browser, page, dashboard, traffic;
  const clients = [];
  const back = () => backEnd(server.port);

  function client() {
    const pusher = new Pusher(app.key, {
      wsHost: '127.0.0.1', wsPort: server.port, forceTLS: false, enabledTransports: ['ws'], cluster: 'x', disableStats: true,
      channelAuthorization: { endpoint: `${site.url}/broadcasting/auth` },
    });
    clients.push(pusher);
    return pusher;
  }
  const subscribed = (channel) => new Promise((resolve) => { channel.bind('pusher:subscription_succeeded', resolve); });

  before(async () => {
    server = await startServer(0, `
[[apps]]
app_id = "654321"
key = "another-key"
secret = "another-secret"
[dashboard]
enabled = true
listen = "127.0.0.1:0"
username = "ops"
${hash}
`);
    // Its line comes through another pipe than the banner that startServer waits for.
    await until(() => server.find(/dashboard is served/));
    dashboard = server.find(/dashboard is served.*url=(http:\/\/127\.0\.0\.1:\d+\/)/);
    site = await startSite();
    proxy = await startProxy(new URL(dashboard).port);
    for (let i = 0; i < 6; i++) {
      const c = client();
      const all = ['news', `private-user.${i}`, 'presence-room', ...(i === 0 ? Array.from({ length: 60 }, (_, n) => `orders.${n}`) : [])];
      await Promise.all(all.map((name) => subscribed(c.subscribe(name))));
    }
    traffic = setInterval(() => {
      back().trigger('news', 'headline', { title: `Headline ${Date.now()}`, tags: ['a', 'b'] }).catch(() => {});
      back().trigger(['private-user.1', 'nobody-listens'], 'App\\Events\\OrderShipped', { id: 7, total: '12.50' }).catch(() => {});
    }, 250);
    browser = await launch();
    page = await open(dashboard);
  });
  after(async () => {
    clearInterval(traffic);
    for (const c of clients) c.disconnect();
    await browser?.close();
    await proxy?.stop();
    await site?.stop();
    await server?.stop();
  });

  const complaints = [];
  async function open(url, options = {}) {
    const opened = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })).newPage();
    opened.on('console', (m) => { if (m.type() === 'error' && !/status of (401|404|403)/.test(m.text())) complaints.push(m.text()); });
    opened.on('pageerror', (err) => complaints.push(String(err)));
    opened.on('request', (r) => { if (new URL(r.url()).origin !== new URL(url).origin) complaints.push(`asked another host: ${r.url()}`); });
    await opened.goto(url);
    return opened;
  }
  async function enter(on) {
    await on.getByLabel('Name').fill('ops');
    await on.getByLabel('Password').fill(password);
    await on.getByRole('button', { name: 'Log in' }).click();
    await on.getByRole('heading', { name: 'Overview' }).waitFor();
  }
  async function picture(on, name) {
    if (!pictures) return;
    await mkdir(pictures, { recursive: true });
    await on.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  }

  test('asks for the password', async () => {
    await page.getByLabel('Name').fill('ops');
    await page.getByLabel('Password').fill('wrong password');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
    await picture(page, 'login');
    await enter(page);
  });

  test('draws what happens', async () => {
    await page.waitForFunction(() => document.querySelectorAll('.plot canvas').length === 6);
    await page.waitForFunction(() => document.querySelector('.tile b').textContent === '6');
    await page.waitForFunction(() => parseFloat(document.querySelectorAll('.tile b')[2].textContent) > 0);
    const label = await page.locator('.plot').first().getAttribute('aria-label');
    assert.match(label, /Connections, now: open 6/);
    await page.getByRole('button', { name: '1 min' }).click();
    // A window that was too narrow for a while does not lose its charts.
    await page.setViewportSize({ width: 20, height: 900 });
    await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
    await page.setViewportSize({ width: 1440, height: 900 });
    // Something is drawn.
    const inked = await page.evaluate(() => {
      const canvas = document.querySelector('.plot canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let n = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i] > 200) n++;
      return n;
    });
    assert.ok(inked > 200, `only ${inked} points of the chart are drawn`);
    // What a server has that has just started takes the whole width.
    await page.getByRole('button', { name: '15 min' }).click();
    const left = () => page.evaluate(() => {
      const canvas = [...document.querySelectorAll('.plot canvas')].at(-1); // memory, which is never nothing
      const scale = canvas.width / canvas.clientWidth;
      const { data } = canvas.getContext('2d').getImageData(60 * scale, 0, 60 * scale, canvas.height);
      let n = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && Math.max(...data.slice(i, i + 3)) - Math.min(...data.slice(i, i + 3)) > 60) n++;
      return n;
    });
    await until(async () => await left() > 40);
    for (const name of ['Broadcast', 'Ping']) await page.locator('.chart', { hasText: name }).getByText('p95').waitFor();
    await page.getByText(/version \S+ · up \d+ s/).waitFor();
    if (pictures) await page.waitForTimeout(20_000);
    await picture(page, 'overview-light');
  });

  test('says what was refused, and why', async () => {
    const lost = new Pusher('no-such-key', { wsHost: '127.0.0.1', wsPort: server.port, forceTLS: false, enabledTransports: ['ws'], cluster: 'x', disableStats: true });
    await page.getByRole('row', { name: /unknown app key/ }).waitFor();
    lost.disconnect();
  });

  test('shows its keys', async () => {
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('the five views').waitFor();
    const text = await page.getByRole('dialog').innerText();
    assert.doesNotMatch(text, /object/);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  });

  test('finds a channel among many, and its members', async () => {
    await page.getByRole('link', { name: 'Channels' }).click();
    await page.getByRole('cell', { name: /news/ }).waitFor();
    await picture(page, 'channels-light');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText(/51 – 68 of 68/).waitFor();
    await page.getByLabel('Search channels').fill('no such channel');
    await page.getByText('Nothing matches “no such channel”.').waitFor();
    await page.getByLabel('Search channels').fill('ROOM');
    await page.getByText('1 channel, 6 subscriptions').waitFor();
    await page.getByRole('link', { name: 'presence-room' }).click();
    await page.getByText('6 members').waitFor();
    await page.getByRole('cell', { name: /User \d/ }).first().waitFor();
    await picture(page, 'channel-light');
    await page.getByRole('button', { name: 'User' }).click();
    await page.getByRole('columnheader', { name: 'User' }).and(page.locator('[aria-sort=ascending]')).waitFor();
    const users = () => page.locator('tbody tr td:nth-child(2)').allTextContents();
    await until(async () => (await users()).join() === [...await users()].sort().join());
    const up = await users();
    await page.getByRole('button', { name: 'User' }).click();
    await until(async () => (await users()).join() === [...up].reverse().join());
  });

  test('disconnects a user', async () => {
    const before = clients[0].connection.socket_id;
    const me = clients[0].channel('presence-room').members.myID;
    await page.getByRole('button', { name: `Disconnect ${me}`, exact: true }).click();
    await picture(page, 'confirm-light');
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
    await until(() => clients[0].connection.state === 'connected' && clients[0].connection.socket_id !== before);
  });

  test('shows a connection and closes it', async () => {
    const id = clients[3].connection.socket_id;
    await page.getByRole('link', { name: 'Connections' }).click();
    await page.getByLabel('Search connections').fill(id);
    await page.getByRole('link', { name: id }).click();
    await page.getByRole('cell', { name: /private-user\.3/ }).waitFor();
    await page.getByText('3 channels').waitFor();
    await picture(page, 'connection-light');
    await page.getByRole('button', { name: 'Close the connection' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close it' }).click();
    await page.getByText('This connection has ended').waitFor();
    await until(() => clients[3].connection.state === 'connected' && clients[3].connection.socket_id !== id);
  });

  test('tails events, filters, pauses', async () => {
    await page.keyboard.press('4');
    await page.locator('.events .event', { hasText: 'headline' }).first().waitFor();
    await page.locator('.events .badge', { hasText: 'nobody here' }).first().waitFor();
    await page.locator('.events summary').first().click();
    await page.locator('.events pre').first().waitFor();
    await picture(page, 'events-light');
    await page.getByRole('searchbox').fill('OrderShipped');
    await page.waitForFunction(() => {
      const names = [...document.querySelectorAll('.events .event')].map((e) => e.textContent);
      return names.length > 1 && names.every((n) => n.endsWith('OrderShipped'));
    });
    await page.getByRole('button', { name: 'Pause' }).click();
    const rows = await page.locator('.events li').count();
    await page.getByText(/Paused, [1-9]\d* new event/).waitFor();
    assert.equal(await page.locator('.events li').count(), rows);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.waitForFunction((n) => document.querySelectorAll('.events li').length > n, rows);
  });

  test('shows what strangers send as text', async () => {
    const evil = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
    await page.getByRole('searchbox').fill('document.title');
    const again = setInterval(() => back().trigger('news', evil, { [evil]: evil }), 200); // the new filter takes a moment
    await page.locator('.events .event', { hasText: evil }).first().waitFor().finally(() => clearInterval(again));
    await page.locator('.events summary').first().click();
    await page.locator('.events pre', { hasText: '<img' }).first().waitFor();
    assert.equal(await page.locator('main img, main script').count(), 0);
  });

  test('shows the overview for a mistyped address', async () => {
    await page.evaluate(() => { location.hash = '#/channel/a/%zz'; });
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });

  test('sends an event', async () => {
    const heard = new Promise((resolve) => { clients[1].channel('news').bind('from-page', resolve); });
    await page.getByRole('link', { name: 'Send' }).click();
    await page.getByLabel('Channels').fill('news');
    await page.getByLabel('Event').fill('from-page');
    await page.getByLabel('Data').fill('{"hello": "world"}');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Sent to 6 subscriptions.').waitFor();
    assert.deepEqual(await heard, { hello: 'world' });
    await picture(page, 'send-light');
  });

  test('works below a path, on a phone, in the dark', async () => {
    const phone = await open(proxy.url, { viewport: { width: 390, height: 844 }, colorScheme: 'dark', isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
    await picture(phone, 'phone-login-dark');
    await enter(phone);
    await phone.waitForFunction(() => document.querySelectorAll('.plot canvas').length === 6);
    for (const [link, name] of [['Overview', 'overview'], ['Channels', 'channels'], ['Connections', 'connections'], ['Events', 'events'], ['Send', 'send']]) {
      await phone.getByRole('link', { name: link, exact: true }).click();
      await phone.getByRole('heading', { level: 1 }).waitFor();
      if (link === 'Events') await phone.locator('.events li').first().waitFor();
      const [width, view] = await phone.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(width <= view, `${link} is ${width} px wide on a screen of ${view}`);
      if (pictures) await phone.waitForTimeout(2000);
      await picture(phone, `phone-${name}-dark`);
    }
    const dark = await open(dashboard, { colorScheme: 'dark' });
    await enter(dark);
    await dark.waitForFunction(() => document.querySelectorAll('.plot canvas').length === 6);
    if (pictures) await dark.waitForTimeout(3000);
    await picture(dark, 'overview-dark');
    for (const view of ['channels', 'events', 'connections']) {
      await dark.goto(`${dashboard}#/${view}`);
      if (pictures) await dark.waitForTimeout(2000);
      await picture(dark, `${view}-dark`);
    }
  });

  test('every control has a name', async () => {
    for (const view of ['', 'channels', 'connections', 'events', 'send']) {
      await page.goto(`${dashboard}#/${view}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      const nameless = await page.evaluate(() => [...document.querySelectorAll('button, a, input, select, textarea')]
        .filter((el) => el.checkVisibility() && !(el.textContent.trim() || el.getAttribute('aria-label') || el.labels?.length))
        .map((el) => el.outerHTML));
      assert.deepEqual(nameless, []);
    }
  });

  test('logs out, also of the stream', async () => {
    await page.goto(`${dashboard}#/events`);
    await page.locator('.events li').first().waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Password').waitFor();
    assert.equal((await page.request.get(`${dashboard}api/stats`)).status(), 401);
  });

  test('nothing was refused by the policy, nothing came from elsewhere', () => assert.deepEqual(complaints, []));
});
