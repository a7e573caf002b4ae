import type { Position } from '@assent/contracts';

/** What every register has: the place of its fact in the log, when that is known. */
export interface Register {
  /** The smallest known position of the fact; never used for ordering. */
  readonly position?: Position;
}

/**
 * Puts `candidate` into a sorted list of registers with one entry per key and keeps the newest one.
 *
 * The outcome depends on the set of candidates only, not on their order or number: the newest wins by `instantOf`, then
 * by its content as canonical JSON; equal content is one fact seen again, of which the smallest position stays.
 * Returns the same list when nothing changed.
 */
export function keepNewest<R extends Register>(
  registers: readonly R[],
  candidate: R,
  keyOf: (register: R) => string,
  instantOf: (register: R) => number,
): readonly R[] {
  const key = keyOf(candidate);
  const index = registers.findIndex((register) => keyOf(register) >= key);
  const at = index === -1 ? registers.length : index;
  const current = registers[at];
  if (current === undefined || keyOf(current) !== key) return registers.toSpliced(at, 0, candidate);
  const kept = newest(current, candidate, instantOf);
  return kept === current ? registers : registers.with(at, kept);
}

function newest<R extends Register>(current: R, candidate: R, instantOf: (register: R) => number): R {
  const currentMs = instantOf(current);
  const candidateMs = instantOf(candidate);
  if (candidateMs !== currentMs) return candidateMs > currentMs ? candidate : current;
  const currentContent = canonicalContent(current);
  const candidateContent = canonicalContent(candidate);
  if (candidateContent !== currentContent) return candidateContent > currentContent ? candidate : current;
  return isEarlier(candidate.position, current.position) ? candidate : current;
}

function isEarlier(candidate: Position | undefined, current: Position | undefined): boolean {
  if (candidate === undefined) return false;
  if (current === undefined) return true;
  if (candidate.topic !== current.topic) return candidate.topic < current.topic;
  if (candidate.partition !== current.partition) return candidate.partition < current.partition;
  return candidate.offset < current.offset;
}

function canonicalContent(register: Register): string {
  const { position: _place, ...content } = register;
  return canonicalJson(content);
}

/** JSON with the keys of every object sorted by UTF-16 code units and members that are `undefined` left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member === null || typeof member !== 'object' || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
