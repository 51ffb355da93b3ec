/** Fails when the promise is not settled within ten seconds, saying what was waited for. */
export function within(promise, what, ms = 10_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The next event of that name on a pusher-js channel, connection or client. */
export function next(emitter, name) {
  return within(new Promise((resolve) => {
    const seen = (data) => {
      emitter.unbind(name, seen);
      resolve(data);
    };
    emitter.bind(name, seen);
  }), name);
}

/** Asks again and again until the condition, which may be a promise, is true. */
export async function until(condition, ms = 40_000) {
  const end = Date.now() + ms;
  while (!await condition()) {
    if (Date.now() > end) throw new Error(`never true: ${condition}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}
