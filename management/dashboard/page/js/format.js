// Numbers as people read them.

const DASH = '–';
const none = (n) => n === null || n === undefined || Number.isNaN(n);
const digits = (n) => (n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1).replace(/\.0$/, '') : n.toFixed(2).replace(/\.?0+$/, ''));

export function whole(n) {
  return none(n) ? DASH : Math.round(n).toLocaleString('en');
}

/** 1234567 → 1.23M */
export function short(n) {
  if (none(n)) return DASH;
  for (const [size, unit] of [[1e9, 'G'], [1e6, 'M'], [1e4, 'k']]) if (n >= size) return digits(n / (unit === 'k' ? 1e3 : size)) + unit;
  return n >= 100 ? Math.round(n).toLocaleString('en') : digits(n);
}

export const rate = (n) => (none(n) ? DASH : `${short(n)}/s`);

export function bytes(n) {
  if (none(n)) return DASH;
  for (const [size, unit] of [[2 ** 30, 'GB'], [2 ** 20, 'MB'], [2 ** 10, 'kB']]) if (n >= size) return `${digits(n / size)} ${unit}`;
  return `${Math.round(n)} B`;
}

/** seconds → 120 µs, 3.4 ms, 1.2 s */
export function seconds(n) {
  if (none(n)) return DASH;
  if (n === 0) return '0';
  if (n < 0.001) return `${digits(n * 1e6)} µs`;
  if (n < 1) return `${digits(n * 1e3)} ms`;
  return `${digits(n)} s`;
}

/** seconds → 3 d 4 h */
export function span(n) {
  if (none(n)) return DASH;
  const s = Math.floor(n);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function clock(ms) {
  const d = new Date(ms);
  const two = (n) => String(n).padStart(2, '0');
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

export const count = (n, one, many = `${one}s`) => `${whole(n)} ${n === 1 ? one : many}`;

/** JSON with indentation; other text as it is. */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
