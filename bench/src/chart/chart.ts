import { linearScale, logScale, namesScale, type Scale } from './scale.ts';

/** A picture of how something grows, as SVG. Pure: the same chart is the same text. */
export interface Chart {
  title: string;
  subtitle: string;
  x: Axis;
  y: Axis;
  series: Series[];
  /** One line below the picture: of what, where, when. */
  footnote: string;
}

export interface Axis {
  label: string;
  /** `names`: each value of x at the same distance from the next. */
  scale: 'log' | 'linear' | 'names';
  /** What stands at a tick. */
  tick(value: number): string;
}

export interface Series {
  name: string;
  /** `own` is what the picture is about, and its values are written to it; `goal` is a line not to be crossed. */
  role: 'own' | 'floor' | 'goal' | 'other';
  points: Point[];
}

export interface Point {
  x: number;
  y: number;
  /** What was seen around it. */
  min?: number;
  max?: number;
  /** Written at the point, for `own`. */
  label?: string;
}

const WIDTH = 880;
const HEIGHT = 500;
const PLOT = { left: 84, top: 112, right: 36, bottom: 82 };
const W = WIDTH - PLOT.left - PLOT.right;
const H = HEIGHT - PLOT.top - PLOT.bottom;
const COLOUR = { own: '#2563eb', floor: '#64748b', goal: '#dc2626' };
/** Told apart also by who does not see red or green. */
const OTHERS = ['#0d9488', '#d97706', '#9333ea', '#475569'];

export function drawChart(chart: Chart): string {
  const x = scaleOf(
    chart.x.scale,
    chart.series.flatMap((s) => s.points.map((p) => p.x)),
    W,
  );
  const headroom = chart.y.scale === 'log' ? 1.6 : 1.1; // for what is written above the highest point
  const ys = chart.series.flatMap((s) => s.points.flatMap((p) => [p.y, p.min ?? p.y, (p.max ?? p.y) * headroom]));
  const y = scaleOf(chart.y.scale, ys, H);
  const px = (value: number) => PLOT.left + x.at(value);
  const py = (value: number) => PLOT.top + H - y.at(value);
  const coloured = colours(chart.series);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif">`,
    `<title>${escapeXml(`${chart.title}: ${chart.subtitle}`)}</title>`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="10" fill="#ffffff" stroke="#e2e8f0"/>`,
    text(28, 38, chart.title, { size: 20, weight: 600, fill: '#0f172a' }),
    text(28, 61, chart.subtitle, { size: 13, fill: '#64748b' }),
    ...legend(coloured),
    ...grid(chart, x, y, px, py),
    ...coloured.flatMap(([series, colour]) => drawSeries(series, colour, px, py)),
    text(28, HEIGHT - 16, chart.footnote, { size: 11, fill: '#94a3b8' }),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function scaleOf(scale: Axis['scale'], values: number[], length: number): Scale {
  if (scale === 'names')
    return namesScale(
      [...new Set(values)].sort((a, b) => a - b),
      length,
    );
  if (scale === 'linear') return linearScale(Math.max(...values), length);
  const above = values.filter((value) => value > 0);
  return logScale(Math.min(...above), Math.max(...above), length);
}

/** What is drawn last lies on top: our own. */
function colours(series: readonly Series[]): [Series, string][] {
  let other = 0;
  const all = series.map((one): [Series, string] => [
    one,
    one.role === 'other' ? OTHERS[other++ % OTHERS.length]! : COLOUR[one.role],
  ]);
  const order = { goal: 0, floor: 1, other: 2, own: 3 };
  return all.sort(([a], [b]) => order[a.role] - order[b.role]);
}

function legend(coloured: readonly [Series, string][]): string[] {
  let left = 28;
  return coloured.toReversed().flatMap(([{ name, role }, colour]) => {
    const at = left;
    left += 34 + name.length * 6.7 + 22;
    return [
      `<line x1="${at}" y1="85" x2="${at + 26}" y2="85" stroke="${colour}" ${stroke(role)}/>`,
      ...(role === 'goal' ? [] : [`<circle cx="${at + 13}" cy="85" r="3.5" fill="${colour}"/>`]),
      text(at + 34, 89, name, { size: 12.5, fill: '#334155' }),
    ];
  });
}

function grid(chart: Chart, x: Scale, y: Scale, px: (v: number) => number, py: (v: number) => number): string[] {
  const right = PLOT.left + W;
  const bottom = PLOT.top + H;
  const across = (at: number, colour: string) =>
    `<line x1="${PLOT.left}" y1="${n(at)}" x2="${right}" y2="${n(at)}" stroke="${colour}"/>`;
  const down = (at: number, colour: string) =>
    `<line x1="${n(at)}" y1="${PLOT.top}" x2="${n(at)}" y2="${bottom}" stroke="${colour}"/>`;
  const upright = chart.x.scale === 'names' ? [] : x.ticks;
  return [
    ...y.minor.map((value) => across(py(value), '#f8fafc')),
    ...x.minor.map((value) => down(px(value), '#f8fafc')),
    ...upright.map((value) => down(px(value), '#eef2f7')),
    ...y.ticks.map((value) => across(py(value), '#e2e8f0')),
    across(bottom, '#94a3b8'),
    ...y.ticks.map((value) => text(PLOT.left - 10, py(value) + 4, chart.y.tick(value), { anchor: 'end' })),
    ...x.ticks.map((value) => text(px(value), bottom + 20, chart.x.tick(value), { anchor: 'middle' })),
    text(PLOT.left + W / 2, bottom + 43, chart.x.label, { size: 13, anchor: 'middle', fill: '#334155' }),
    `<g transform="translate(22 ${PLOT.top + H / 2}) rotate(-90)">${text(0, 0, chart.y.label, { size: 13, anchor: 'middle', fill: '#334155' })}</g>`,
  ];
}

function drawSeries({ role, points }: Series, colour: string, px: (v: number) => number, py: (v: number) => number) {
  const sorted = points.toSorted((a, b) => a.x - b.x);
  const parts: string[] = [];
  const seen = sorted.filter((p) => p.min !== undefined && p.max !== undefined);
  if (seen.length > 1) {
    const top = seen.map((p) => `${n(px(p.x))},${n(py(p.max!))}`);
    const low = seen.toReversed().map((p) => `${n(px(p.x))},${n(py(p.min!))}`);
    parts.push(`<polygon points="${[...top, ...low].join(' ')}" fill="${colour}" fill-opacity="0.13"/>`);
  }
  for (const p of seen)
    parts.push(
      `<line x1="${n(px(p.x))}" y1="${n(py(p.max!))}" x2="${n(px(p.x))}" y2="${n(py(p.min!))}" stroke="${colour}" stroke-opacity="0.55" stroke-width="1.5"/>`,
    );
  const line = goalLine(role, sorted, px).map(([left, y]) => `${n(left)},${n(py(y))}`);
  parts.push(`<polyline points="${line.join(' ')}" fill="none" stroke="${colour}" ${stroke(role)}/>`);
  if (role === 'goal') return parts;
  for (const p of sorted) {
    parts.push(
      `<circle cx="${n(px(p.x))}" cy="${n(py(p.y))}" r="${role === 'own' ? 5 : 3.5}" fill="${colour}" stroke="#ffffff" stroke-width="1.5"/>`,
    );
    if (p.label) parts.push(pointLabel(px(p.x), py(p.y), py(p.max ?? p.y), p.label, colour));
  }
  return parts;
}

/** A goal at one size is a line of some length. */
function goalLine(role: Series['role'], points: Point[], px: (v: number) => number): [number, number][] {
  const [only] = points;
  if (role !== 'goal' || points.length !== 1 || !only) return points.map((p) => [px(p.x), p.y]);
  const reach = (at: number) => Math.min(Math.max(at, PLOT.left), PLOT.left + W);
  return [
    [reach(px(only.x) - 60), only.y],
    [reach(px(only.x) + 60), only.y],
  ];
}

/** Above the point and what was seen around it, or below the point where that is far; legible over any line. */
function pointLabel(x: number, y: number, top: number, label: string, colour: string): string {
  const half = label.length * 3.6;
  const across = Math.min(Math.max(x, PLOT.left + half + 4), PLOT.left + W - half - 2);
  const down = y - top > 30 ? y + 21 : Math.max(top - 11, PLOT.top + 12);
  const options = { size: 12.5, weight: 600, fill: colour, anchor: 'middle' };
  const halo = 'stroke="#ffffff" stroke-width="4" stroke-linejoin="round" paint-order="stroke"';
  return text(across, down, label, options, halo);
}

function stroke(role: Series['role']): string {
  if (role === 'goal') return 'stroke-width="2" stroke-dasharray="7 5"';
  return `stroke-width="${role === 'own' ? 3 : 2}" stroke-linejoin="round" stroke-linecap="round"`;
}

interface TextOptions {
  size?: number;
  weight?: number;
  fill?: string;
  anchor?: string;
}

function text(x: number, y: number, content: string, options: TextOptions = {}, more = ''): string {
  const { size = 12, weight = 400, fill = '#64748b', anchor = 'start' } = options;
  return `<text x="${n(x)}" y="${n(y)}" font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}"${more ? ` ${more}` : ''}>${escapeXml(content)}</text>`;
}

/** A tenth of a pixel is enough. */
function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeXml(content: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return content.replace(/[&<>"]/g, (c) => names[c] ?? c);
}
