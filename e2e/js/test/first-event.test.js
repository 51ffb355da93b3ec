// docs/first-event.html and .sh, as a newcomer uses them: a file in a browser that reaches no network, and a shell.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { launch } from '../support/chromium.js';
import { app, startServer } from '../support/server.js';

const docs = join(dirname(fileURLToPath(import.meta.url)), '../../../docs');
const package_ = dirname(createRequire(import.meta.url).resolve('pusher-js/package.json'));

describe('the page of the first event', () => {
  let server, browser, site;
  before(async () => {
    server = await startServer(0, `
[[apps]]
app_id = "closed"
key = "closed-key"
secret = "closed-secret"
allowed_origins = ["example.com"]
`);
    browser = await launch();
    site = await mkdtemp(join(tmpdir(), 'reverb-site-'));
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await rm(site, { recursive: true, force: true });
  });

  const asked = [];
  async function open(fragment, file = join(docs, 'first-event.html'), watch = () => {}) {
    const page = await browser.newPage();
    watch(page);
    page.on('request', (r) => { if (!r.url().startsWith('file:')) asked.push(r.url()); });
    await page.goto(`${pathToFileURL(file)}#${fragment}`);
    return page;
  }
  const says = (page, text) => page.locator('#state').filter({ hasText: text }).waitFor();

  test('shows the event that the script publishes', async () => {
    const page = await open(`${app.key}@${server.port}`);
    await says(page, 'Subscribed to my-channel');
    const address = (await page.locator('#command').innerText()).split(' ')[1];
    await writeFile(join(site, '.env'), `APP_NAME="A site; with (odd) words"\nREVERB_APP_ID=${app.appId}\nREVERB_APP_KEY="${app.key}"\nREVERB_APP_SECRET=${app.secret}\n`);
    const { stdout } = await promisify(execFile)(join(docs, 'first-event.sh'), [address], { cwd: site, env: { PATH: process.env.PATH } });
    assert.equal(stdout, '{}\n');
    await page.locator('#events li', { hasText: 'my-event {"hello":"world"}' }).waitFor();
    await page.close();
  });

  test('the script takes the port of .env and of the environment', async () => {
    await writeFile(join(site, '.env'), `REVERB_APP_ID=${app.appId}\nREVERB_APP_KEY=${app.key}\nREVERB_APP_SECRET=wrong\nREVERB_SERVER_PORT=${server.port}\n`);
    const run = (env) => promisify(execFile)(join(docs, 'first-event.sh'), [], { cwd: site, env: { PATH: process.env.PATH, ...env } });
    await assert.rejects(run({}), /401/);
    assert.equal((await run({ REVERB_APP_SECRET: app.secret })).stdout, '{}\n');
  });

  test('says that the key is wrong, and goes on saying it', async () => {
    let closed;
    const page = await open(`wrong-key@${server.port}`, undefined, (opened) => {
      closed = opened.waitForEvent('websocket').then((socket) => socket.isClosed() || socket.waitForEvent('close'));
    });
    await says(page, 'Refused: no application has the key “wrong-key”.');
    await closed; // which is told to the page as one more change
    await says(page, 'Refused: no application has the key “wrong-key”.');
    await page.close();
  });

  test('says that the page is refused', async () => {
    const page = await open(`closed-key@${server.port}`);
    await says(page, 'does not allow this page’s origin');
    await page.close();
  });

  test('says that nobody answers', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address();
    free.close();
    await once(free, 'close');
    const page = await open(`${app.key}@${port}`);
    await says(page, `No server answers at 127.0.0.1:${port}.`);
    await page.close();
  });

  test('says what is missing', async () => {
    let page = await open('');
    await says(page, 'Which application?');
    await page.close();
    page = await open(`${app.key}@nowhere at all`);
    await says(page, 'is no port and no address');
    await page.close();
    await cp(join(docs, 'first-event.html'), join(site, 'first-event.html'));
    page = await open(`${app.key}@${server.port}`, join(site, 'first-event.html'));
    await says(page, 'pusher-js could not be loaded');
    await page.close();
  });

  test('nothing came from elsewhere', () => assert.deepEqual(asked, []));

  test('has the pusher-js that it names, with its licence', async () => {
    const read = (...parts) => readFile(join(...parts), 'utf8');
    const { version } = JSON.parse(await read(package_, 'package.json'));
    assert.equal(await read(docs, 'vendor/pusher-js/pusher.min.js'), await read(package_, 'dist/web/pusher.min.js'));
    assert.equal(await read(docs, 'vendor/pusher-js/LICENCE'), await read(package_, 'LICENCE'));
    assert.match(await read(docs, 'vendor/pusher-js/pusher.min.js.LICENSE.txt'), new RegExp(`v${version.replaceAll('.', '\\.')}`));
    assert.match(await read(docs, 'first-event.html'), new RegExp(`pusher-js ${version.replaceAll('.', '\\.')} \\(MIT\\)`));
  });
});
