/** Three significant digits, as people read them: 12300, 1.23, 0.0123. */
export function roundFigure(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1_000 ? rounded.toLocaleString('en-GB') : String(rounded);
}
