/** A half-open stretch: epoch milliseconds, or minutes of a local day. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** The points that lie in both lists; both are sorted and apart, and so is the answer. */
export function intersection(left: readonly Interval[], right: readonly Interval[]): readonly Interval[] {
  const found: Interval[] = [];
  let l = 0;
  let r = 0;
  for (let a = left[l], b = right[r]; a !== undefined && b !== undefined; a = left[l], b = right[r]) {
    const from = Math.max(a.from, b.from);
    const to = Math.min(a.to, b.to);
    if (from < to) found.push({ from, to });
    if (a.to < b.to) l += 1;
    else r += 1;
  }
  return found;
}

/** The points that lie in any of the intervals: sorted and apart; those that touch become one. */
export function union(intervals: readonly Interval[]): readonly Interval[] {
  const apart: Interval[] = [];
  for (const next of [...intervals].sort((a, b) => a.from - b.from)) {
    const last = apart.at(-1);
    if (last !== undefined && next.from <= last.to) {
      apart[apart.length - 1] = { from: last.from, to: Math.max(last.to, next.to) };
    } else {
      apart.push(next);
    }
  }
  return apart;
}
