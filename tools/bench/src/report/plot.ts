import type { Curve } from '../bench.ts';
import { roundFigure } from './round-figure.ts';

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 80;
const BOTTOM = 50;
const TOP = 40;
const RIGHT = 20;
const COLOURS = ['#1f5fa8', '#c0561f', '#3a7d44'] as const;

/** A log-log plot as SVG, readable on light and dark pages. */
export function plot(curve: Curve): string {
  const points = curve.series.flatMap((series) => series.points);
  const x = axis(points.map(([value]) => value));
  const y = axis(points.map(([, value]) => value));
  const across = (value: number): number => LEFT + x.share(value) * (WIDTH - LEFT - RIGHT);
  const up = (value: number): number => HEIGHT - BOTTOM - y.share(value) * (HEIGHT - BOTTOM - TOP);
  const grid = [
    ...x.ticks.map((tick) => line(across(tick), TOP, across(tick), HEIGHT - BOTTOM)),
    ...y.ticks.map((tick) => line(LEFT, up(tick), WIDTH - RIGHT, up(tick))),
  ];
  const labels = [
    ...x.ticks.map((tick) => text(across(tick), HEIGHT - BOTTOM + 18, roundFigure(tick), 'middle')),
    ...y.ticks.map((tick) => text(LEFT - 8, up(tick) + 4, roundFigure(tick), 'end')),
    text(WIDTH / 2, HEIGHT - 10, curve.x, 'middle'),
    text(LEFT - 60, TOP - 14, curve.y, 'start'),
  ];
  const lines = curve.series.map((series, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? COLOURS[0];
    const path = series.points.map(([px, py]) => `${across(px).toFixed(1)},${up(py).toFixed(1)}`);
    const dots = path.map((at) => `<circle cx="${at.replace(',', '" cy="')}" r="3" fill="${colour}"/>`).join('');
    const legend = `<text x="${WIDTH - RIGHT}" y="${TOP - 22 + index * 16}" text-anchor="end" fill="${colour}">${escape(series.label)}</text>`;
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}${legend}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escape(curve.title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...grid,
    ...labels,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

/** A logarithmic axis over whole decades. */
function axis(values: readonly number[]): { share: (value: number) => number; ticks: readonly number[] } {
  const low = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return {
    share: (value) => (Math.log10(value) - low) / (high - low),
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
  };
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#d8d8d8"/>`;
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#333333">${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
