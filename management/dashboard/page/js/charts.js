// Charts that move, drawn by uPlot. Colours come from the style sheet, so that they follow light and dark.
import { h, setText } from './dom.js';
import { bytes, clock } from './format.js';
import { stats } from './state.js';

const HEIGHT = 150;
const SHORTEST = 2; // seconds that are drawn at least
const NARROW = 40; // no chart below that many pixels
const powers = Array.from({ length: 50 }, (_, i) => 2 ** i); // steps of an axis of bytes
const times = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900]; // seconds; parts of one would show the same time twice
const wholes = Array.from({ length: 30 }, (_, i) => [1, 2, 5][i % 3] * 10 ** Math.floor(i / 3));

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * A card with a chart: {title, series: [{column, label, colour: '--c1', fill}], format, whole}; whole: there are no halves of it.
 * update(seconds) draws the last so many seconds.
 */
export function chart({ title, series, format, hint, whole }) {
  const steps = format === bytes ? powers : whole && wholes;
  const numbers = series.map(() => h('b', {}, '–'));
  const legend = h('ul', { class: 'legend' }, series.map((s, i) => h('li', { class: `key ${s.colour.slice(2)}` }, h('i'), s.label, numbers[i])));
  const none = h('p', { class: 'none', hidden: true }, 'Nothing in this time');
  const place = h('div', { class: 'plot', role: 'img' }, none);
  const when = h('span', { class: 'when', 'aria-hidden': 'true' });
  const card = h('section', { class: 'card chart' }, h('h2', { title: hint }, title, when), legend, place);
  let plot = null;
  let data = [[], ...series.map(() => [])];

  function tell(index) {
    const at = index ?? data[0].length - 1;
    series.forEach((s, i) => setText(numbers[i], format(data[i + 1][at])));
    setText(when, index === null || index === undefined ? '' : clock(data[0][index] * 1000));
    if (index === null || index === undefined) {
      place.setAttribute('aria-label', `${title}, now: ${series.map((s, i) => `${s.label} ${format(data[i + 1][at])}`).join(', ')}`);
    }
  }

  function make() {
    const width = Math.floor(place.clientWidth);
    if (width < NARROW || !globalThis.uPlot) return;
    plot?.destroy();
    const axis = { stroke: colour('--muted'), font: '11px system-ui, sans-serif', grid: { stroke: colour('--grid'), width: 1 }, ticks: { show: false } };
    plot = new uPlot({
      width, height: HEIGHT, padding: [8, 16, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'reverb' }, points: { size: 6 } },
      scales: { x: { time: true }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.15 : 4] } },
      axes: [
        { ...axis, size: 24, space: 46, incrs: times, values: (_, splits) => splits.map((s) => (s % 60 ? clock(s * 1000) : clock(s * 1000).slice(0, 5))) },
        { ...axis, size: 54, space: 26, gap: 4, incrs: steps, values: (_, splits) => splits.map((v) => (none.hidden ? format(v) : '')) },
      ],
      series: [{}, ...series.map((s) => ({
        stroke: colour(s.colour), width: 1.75, points: { show: false }, fill: s.fill ? fill(s.colour) : undefined,
      }))],
      hooks: { setCursor: [(u) => tell(u.cursor.idx)] },
    }, data, place);
  }

  /** A gradient that ends in nothing at the bottom. */
  function fill(name) {
    return (u) => {
      const base = colour(name);
      const { top, height } = u.bbox;
      if (!Number.isFinite(height) || height <= 0) return `${base}22`;
      const gradient = u.ctx.createLinearGradient(0, top, 0, top + height);
      gradient.addColorStop(0, `${base}44`);
      gradient.addColorStop(1, `${base}05`);
      return gradient;
    };
  }

  function update(seconds) {
    const points = stats.points;
    const end = points.at(-1)?.[0] / 1000;
    if (!end) return;
    let first = points.findIndex((p) => p[0] / 1000 >= end - seconds - 1);
    first = Math.max(0, first - 1); // a line that comes in from the left
    const shown = points.slice(first);
    data = [shown.map((p) => p[0] / 1000), ...series.map((s) => shown.map((p) => p[stats.columns[s.column]]))];
    none.hidden = data.slice(1).some((values) => values.some((v) => v !== null && v !== undefined));
    if (!plot) make();
    if (plot) {
      plot.setData(data, false);
      // A server that has just started has less to show than was asked for: what there is takes the whole width.
      const begin = Math.max(end - seconds, (points[1] ?? points[0])[0] / 1000); // the first point has no rates
      plot.setScale('x', { min: Math.min(begin, end - SHORTEST), max: end });
    }
    tell(plot?.cursor.idx);
  }

  const resized = new ResizeObserver(() => {
    const width = Math.floor(place.clientWidth);
    if (width < NARROW) return; // not laid out
    if (plot) plot.setSize({ width, height: HEIGHT });
    else make();
  });
  resized.observe(place);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', make);
  addEventListener('reverb-theme', make);

  return {
    card,
    update,
    destroy() {
      resized.disconnect();
      dark.removeEventListener('change', make);
      removeEventListener('reverb-theme', make);
      plot?.destroy();
      plot = null;
    },
  };
}
