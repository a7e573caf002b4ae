import type { BenchContext } from '../bench.ts';

/** The values of both sides, round by round. */
export interface Rounds<T> {
  readonly bare: readonly T[];
  readonly ours: readonly T[];
}

/**
 * Runs both sides in turn, bare first, so that what the machine does meanwhile falls on both: one pair to warm up, then
 * the measured pairs.
 */
export async function alternate<T>(
  { rounds, progress }: BenchContext,
  title: string,
  sides: { readonly bare: () => Promise<T>; readonly ours: () => Promise<T> },
): Promise<Rounds<T>> {
  const bare: T[] = [];
  const ours: T[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    progress(`${title}: ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`);
    const values = [await sides.bare(), await sides.ours()] as const;
    if (round === 0) continue;
    bare.push(values[0]);
    ours.push(values[1]);
  }
  return { bare, ours };
}
