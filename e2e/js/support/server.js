// Starts the real program and what a Laravel site has beside it: an endpoint that signs channel subscriptions.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Pusher from 'pusher';
import { until } from './wait.js';

export const app = { appId: '123456', key: 'reverb-key', secret: 'reverb-secret' };

const binary = process.env.REVERB_BIN;
if (!binary) throw new Error('REVERB_BIN must name the program under test; `make js` sets it');

/** A running `reverb start`; port 0 takes a free one. */
export async function startServer(port = 0, settings = '', drain = 1) {
  const dir = await configured(port, settings, drain);
  const program = run(binary, ['start'], { cwd: dir, env: { PATH: process.env.PATH, HOME: dir, TMPDIR: dir } });
  return {
    port: await program.listening(),
    find: program.find,
    signal: (name) => program.child.kill(name),
    async stop() {
      if (program.child.exitCode === null) program.child.kill('SIGTERM');
      await program.exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** `reverb start` under a parent that holds the port, as systemd does with a socket unit, and starts it again whenever it has ended. */
export async function startActivated() {
  const port = await freePort(), dir = await configured(port, '', 10);
  const again = 'while sh -c \'echo "pid $$."; LISTEN_PID=$$ exec "$0" start\' "$0"; do echo "ended."; done';
  const parent = run('systemd-socket-activate', ['-l', `127.0.0.1:${port}`, '-E', `TMPDIR=${dir}`, 'sh', '-c', again, binary], { cwd: dir, detached: true });
  await until(() => fetch(`http://127.0.0.1:${port}/up`).then(() => true, () => false)); // it starts for the first connection
  const server = {
    port,
    /** Ends the process and returns what waits for the next one; the second call ends the parent. */
    async stop() {
      server.stop = async () => {
        process.kill(-parent.child.pid, 'SIGKILL');
        await parent.exited;
        await rm(dir, { recursive: true, force: true });
      };
      process.kill(Number(parent.find(/^pid (\d+)\.$/m)), 'SIGTERM');
      await parent.says(/^ended\.$/m);
      return () => parent.says(/^ended\.$[^]*Starting server on/m).then(() => server);
    },
  };
  return server;
}

/** `php artisan reverb:start` of a Laravel site. */
export async function startSiteServer(site, port) {
  port ||= await freePort();
  const program = run('php', ['artisan', 'reverb:start', '--host=127.0.0.1', `--port=${port}`], {
    cwd: site, env: { ...process.env, REVERB_APP_ID: app.appId, REVERB_APP_KEY: app.key, REVERB_APP_SECRET: app.secret },
  });
  await program.listening();
  return {
    port,
    async stop() {
      program.child.kill('SIGTERM');
      await program.exited;
    },
  };
}

async function configured(port, settings, drain) {
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
  return dir;
}

async function freePort() {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address();
  taken.close();
  await once(taken, 'close');
  return port;
}

/** A program and what it says. */
function run(command, args, options) {
  const child = spawn(command, args, options);
  let output = '';
  const exited = once(child, 'exit');
  const program = {
    child,
    exited,
    /** The first group, or all without one, of what the program has said. */
    find: (pattern) => output.match(pattern)?.at(-1),
    /** The same, as soon as it is said. */
    says: (pattern) => new Promise((resolve, reject) => {
      const look = () => { if (pattern.test(output)) resolve(program.find(pattern)); };
      look();
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      exited.then(() => reject(new Error(`the program ended and had not said ${pattern}:\n${output}`)), reject);
    }),
    listening: async () => Number(await program.says(/Starting server on 127\.0\.0\.1:(\d+)/)),
  };
  child.stdout.on('data', (chunk) => { output += chunk; });
  child.stderr.on('data', (chunk) => { output += chunk; });
  return program;
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
