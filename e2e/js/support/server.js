// Starts the real program and what a Laravel site has beside it: an endpoint that signs channel subscriptions.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Pusher from 'pusher';

export const app = { appId: '123456', key: 'reverb-key', secret: 'reverb-secret' };

const binary = process.env.REVERB_BIN;
if (!binary) throw new Error('REVERB_BIN must name the program under test; `make js` sets it');

/** A running `reverb start`; port 0 takes a free one. */
export async function startServer(port = 0, settings = '', drain = 1) {
  const dir = await mkdtemp(join(tmpdir(), 'reverb-js-'));
  await writeFile(join(dir, 'config.toml'), `
[server]
host = "127.0.0.1"
port = ${port}
drain_timeout = ${drain}
[[apps]]
app_id = "${app.appId}"
key = "${app.key}"
secret = "${app.secret}"
max_message_size = 100000
${settings}`);
  const child = spawn(binary, ['start'], { cwd: dir, env: { PATH: process.env.PATH, HOME: dir, TMPDIR: dir } });
  let output = '';
  const exited = once(child, 'exit');
  const listening = new Promise((resolve, reject) => {
    const read = (chunk) => {
      output += chunk;
      const banner = output.match(/Starting server on 127\.0\.0\.1:(\d+)/);
      if (banner) resolve(Number(banner[1]));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    exited.then(() => reject(new Error(`server ended before it listened:\n${output}`)));
  });
  const server = {
    port: await listening,
    /** The first group, or all without one, of what the server has said. */
    find: (pattern) => output.match(pattern)?.at(-1),
    signal: (name) => child.kill(name),
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM');
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
  return server;
}

/** The official server library, as a back end would use it. */
export function backEnd(port) {
  return new Pusher({ ...app, host: '127.0.0.1', port: String(port), useTLS: false });
}

/** A site: signs subscriptions at /broadcasting/auth and serves `files` (path to file on disk). */
export async function startSite(files = {}) {
  const pusher = backEnd(1);
  let user = 0;
  const site = createServer(async (req, res) => {
    const path = new URL(req.url, 'http://site').pathname;
    if (path === '/broadcasting/auth') {
      let body = '';
      for await (const chunk of req) body += chunk;
      const { socket_id: socket, channel_name: channel } = readForm(req, body);
      if (channel.includes('forbidden')) return res.writeHead(403).end('{}');
      const member = channel.startsWith('presence-') ? { user_id: `u${++user}`, user_info: { name: `User ${user}` } } : undefined;
      res.writeHead(200, { 'Content-Type': 'application/json' });
      return res.end(JSON.stringify(pusher.authorizeChannel(socket, channel, member)));
    }
    if (!files[path]) return res.writeHead(404).end();
    res.writeHead(200, { 'Content-Type': path.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8' });
    res.end(await readFile(files[path]));
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  const { port } = site.address();
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      site.closeAllConnections();
      site.close();
      await once(site, 'close');
    },
  };
}

function readForm(req, body) {
  return req.headers['content-type']?.includes('json') ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body));
}
