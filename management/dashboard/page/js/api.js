// What the page asks of the server. All addresses are relative: the page may be served below any path.

export class Failure extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Told when the server wants a password. */
export const onLocked = { call: () => {} };

const PATIENCE = 6000; // ms until a server that says nothing has not answered

async function request(method, path, body, signal) {
  const late = AbortSignal.timeout(PATIENCE);
  let response;
  try {
    response = await fetch(`api/${path}`, {
      method,
      signal: signal ? AbortSignal.any([signal, late]) : late,
      headers: { 'X-Reverb-Dashboard': '1', ...(body && { 'Content-Type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
  } catch (err) {
    if (err.name === 'AbortError') throw err;
    throw new Failure(0, 'The server does not answer.');
  }
  let answer;
  try {
    answer = await response.json();
  } catch (err) {
    if (err.name === 'AbortError') throw err;
    throw new Failure(response.status, `The server answered with status ${response.status}.`);
  }
  if (response.ok) return answer;
  if (response.status === 401 && path !== 'login') onLocked.call();
  throw new Failure(response.status, answer.error ?? `The server answered with status ${response.status}.`);
}

export const get = (path, signal) => request('GET', path, undefined, signal);
export const post = (path, body = {}) => request('POST', path, body);

export const enc = encodeURIComponent;

export function query(params) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== '' && value !== undefined) search.set(name, value);
  return search.toString();
}
