// A Redis of the test's own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Takes a free port: another program may have it first, then the next is tried. */
export async function startRedis() {
  for (let tries = 0; ; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const child = spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']);
    const exited = once(child, 'exit');
    const ready = new Promise((resolve) => {
      child.stdout.on('data', (chunk) => { if (/Ready to accept connections/.test(chunk)) resolve(true); });
    });
    if (await Promise.race([ready, exited.then(() => false)])) {
      return {
        port,
        async stop() {
          child.kill('SIGKILL');
          await exited;
        },
      };
    }
    if (tries === 20) throw new Error('redis-server does not start');
  }
}
