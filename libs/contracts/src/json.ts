/** Deeper than anything the schemas describe, and far from any stack limit. */
export const JSON_DEPTH_MAX = 32;

export type JsonFault = 'not-json' | 'lone-surrogate' | 'too-deep' | 'forbidden-key';

/** A value that cannot stand in an event. Names the fault, never the value. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  readonly code: JsonFault;
  constructor(code: JsonFault) {
    super(`value cannot be written as JSON: ${code}`);
    this.code = code;
  }
}

/**
 * Refuses what would not survive JSON or would be dangerous after it: functions, bigints, NaN, Dates and other class
 * instances (`not-json`), text that UTF-8 cannot express (`lone-surrogate`), more than JSON_DEPTH_MAX levels
 * (`too-deep`) and members named `__proto__` (`forbidden-key`). Members that are undefined count as absent.
 */
export function assertJson(value: unknown, depth = 0): void {
  if (typeof value === 'string') {
    assertWellFormed(value);
    return;
  }
  if (typeof value === 'boolean' || value === null) return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (typeof value !== 'object') throw new JsonError('not-json');
  if (depth >= JSON_DEPTH_MAX) throw new JsonError('too-deep');
  if (Array.isArray(value)) {
    for (const item of value) assertJson(item, depth + 1);
    return;
  }
  if (!isPlainObject(value)) throw new JsonError('not-json');
  for (const [key, member] of Object.entries(value)) {
    if (key === '__proto__') throw new JsonError('forbidden-key');
    assertWellFormed(key);
    if (member !== undefined) assertJson(member, depth + 1);
  }
}

/**
 * The one JSON text of a value: members sorted by UTF-16 code units, no white space, numbers and escapes as
 * JSON.stringify writes them (RFC 8785). Members that are undefined are left out. Throws JsonError.
 */
export function canonicalJson(value: unknown): string {
  assertJson(value);
  return write(value);
}

function write(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${write(member)}`);
  return `{${members.join(',')}}`;
}

function assertWellFormed(text: string): void {
  if (/\p{Surrogate}/u.test(text)) throw new JsonError('lone-surrogate');
}

/** By the shape of the prototype chain, so that objects of another realm count too. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
