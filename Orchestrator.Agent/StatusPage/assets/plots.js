// Three small plots of each stack's traffic: to look at, not to read. What they say now stands beside them in words.
/* global uPlot */

const minutes = 10;
const kinds = [
  { name: 'Requests', unit: '/s', at: 1, ink: '--plot-requests', digits: 1 },
  { name: 'Failed', unit: '/s', at: 2, ink: '--plot-failed', digits: 1 },
  { name: 'P95', unit: ' ms', at: 3, ink: '--plot-p95', digits: 0 },
];
const points = new Map();
const plots = new Map();

export function addPoints(stacks) {
  for (const [stack, fresh] of Object.entries(stacks)) {
    const last = points.get(stack)?.at(-1)?.[0] ?? 0;
    const all = [...(points.get(stack) ?? []), ...fresh.filter(point => point[0] > last)];
    const oldest = all.at(-1)?.[0] - minutes * 60_000;
    points.set(stack, all.filter(point => point[0] >= oldest));
    const place = document.getElementById(`plots-${stack}`);
    if (place) update(place);
  }
}

export function drawPlots() {
  for (const place of document.querySelectorAll('[data-plots]')) {
    if (plots.has(place)) continue;
    plots.set(place, kinds.map(kind => figure(place, kind)));
    update(place);
  }
  for (const [place, figures] of plots) {
    if (place.isConnected) continue;
    figures.forEach(one => one.plot?.destroy());
    plots.delete(place);
  }
}

function figure(place, kind) {
  const box = document.createElement('figure');
  const caption = document.createElement('figcaption');
  const now = document.createElement('strong');
  const canvas = document.createElement('div');
  caption.append(`${kind.name} `, now);
  now.textContent = '–';
  canvas.className = 'plot';
  canvas.setAttribute('role', 'img');
  box.append(caption, canvas);
  place.append(box);
  const one = { kind, canvas, now, plot: null };
  new ResizeObserver(() => one.plot?.setSize(size(canvas))).observe(canvas);
  return one;
}

function update(place) {
  const all = points.get(place.dataset.plots) ?? [];
  place.hidden = all.length === 0;
  if (place.hidden) return;
  const times = all.map(point => point[0] / 1000);
  for (const one of plots.get(place) ?? []) {
    const values = all.map(point => point[one.kind.at]);
    const data = [times, values];
    if (one.plot) one.plot.setData(data);
    else one.plot = draw(one, data);
    const latest = values.at(-1);
    const largest = Math.max(0, ...values.filter(value => value !== null));
    one.now.textContent = latest == null ? '–' : number(latest, one.kind.digits) + one.kind.unit;
    one.canvas.setAttribute('aria-label', `${one.kind.name} over the last ${minutes} minutes, at most ${number(largest, one.kind.digits)}${one.kind.unit}`);
  }
}

function draw(one, data) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue(one.kind.ink).trim();
  const quiet = style.getPropertyValue('--ink-quiet').trim();
  const line = style.getPropertyValue('--line').trim();
  const axis = { stroke: quiet, font: '11px Inter, sans-serif', ticks: { show: false } };
  return new uPlot({
    ...size(one.canvas),
    padding: [6, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false }, sync: { key: one.canvas.closest('[data-plots]').id } },
    scales: {
      x: { range: (_, low, high) => [(high ?? 0) - minutes * 60, high ?? 0] },
      y: { range: (_, low, high) => [0, niceTop(high, one.kind)] },
    },
    axes: [
      { ...axis, size: 20, space: 90, grid: { show: false }, values: (_, splits) => splits.map(hourMinute) },
      { ...axis, size: 42, space: 28, grid: { stroke: line, width: 1 }, values: (_, splits) => splits.map(split => number(split, split % 1 ? 1 : 0)) },
    ],
    series: [{}, { stroke: ink, width: 1.5, fill: `${ink}22`, points: { show: false }, spanGaps: false }],
  }, data, one.canvas);
}

const niceTop = (high, kind) => Math.max(kind.name === 'P95' ? 10 : 1, (high ?? 0) * 1.15);
const size = canvas => ({ width: Math.max(120, canvas.clientWidth), height: 96 });
const number = (value, digits) => value.toLocaleString('en', { maximumFractionDigits: value >= 100 ? 0 : digits });
const hourMinute = seconds => new Date(seconds * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

// Canvases have no style sheet: another colour scheme means another drawing.
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const [place, figures] of plots) {
    for (const one of figures) {
      one.plot?.destroy();
      one.plot = null;
    }
    update(place);
  }
});
