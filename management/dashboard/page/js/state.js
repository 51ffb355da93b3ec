// What the views share: the history of the charts, and which application is looked at.
import { get } from './api.js';

const KEEP = 900; // points

export const stats = {
  columns: {}, // name → index in a point
  points: [],
  latest: null, // the last answer
  at: null, // when it came, by this machine's clock, in ms
  listeners: new Set(),

  /** The last value of a column; null when it is not known. */
  now(column) {
    return this.points.at(-1)?.[this.columns[column]] ?? null;
  },

  async load() {
    const answer = await get(`stats?since=${this.points.at(-1)?.[0] ?? 0}`);
    if (this.latest && answer.node.started !== this.latest.node.started) this.points = []; // another process
    answer.columns.forEach((name, i) => { this.columns[name] = i + 1; });
    this.points.push(...answer.points.filter((p) => p[0] > (this.points.at(-1)?.[0] ?? 0)));
    this.points.splice(0, this.points.length - KEEP);
    this.latest = answer;
    this.at = Date.now();
    for (const listener of this.listeners) listener();
  },
};

export function remembered(name, fallback) {
  try { return localStorage.getItem(`reverb.${name}`) ?? fallback; } catch { return fallback; }
}

export function remember(name, value) {
  try { localStorage.setItem(`reverb.${name}`, value); } catch { /* storage may be forbidden */ }
}

export const apps = {
  ids: [],
  async load() {
    this.ids = (await get('apps')).apps.map((a) => a.id);
  },
  get current() {
    const id = remembered('app', '');
    return this.ids.includes(id) ? id : this.ids[0] ?? '';
  },
  set current(id) {
    remember('app', id);
  },
};
