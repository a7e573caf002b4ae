import { Problem } from './problem.ts';

/** Deepest nesting of objects and lists in a body: no call of ours needs more than a dozen; recursion stays shallow. */
export const BODY_DEPTH_MAX = 32;

const decoder = new TextDecoder('utf-8', { fatal: true });
const LONE_SURROGATE = /\p{Surrogate}/u;

const refused = (code: string, title: string, detail: string): Problem =>
  new Problem({ status: 400, code, title, detail });

const malformedText = (): Problem =>
  refused(
    'malformed-text',
    'The body is not well-formed text',
    'Send UTF-8 without lone surrogates (U+D800 to U+DFFF).',
  );

/**
 * Reads a JSON body.
 *
 * @param bytes UTF-8
 * @returns the value; no string in it holds a lone surrogate, no object an own `__proto__` or `constructor.prototype`
 * @throws Problem 400 `malformed-text`, `malformed-json`, `too-deep` or `forbidden-key`; none echoes the body
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw malformedText();
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused('malformed-json', 'The body is not JSON', 'Send one JSON value with content-type application/json.');
  }
  inspect(value);
  return value;
}

function inspect(root: unknown): void {
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string' && LONE_SURROGATE.test(value)) throw malformedText();
    if (!isObject(value)) continue;
    if (depth > BODY_DEPTH_MAX) {
      throw refused(
        'too-deep',
        'The body is nested too deeply',
        `Nest at most ${String(BODY_DEPTH_MAX)} objects and lists.`,
      );
    }
    for (const [key, child] of Object.entries(value as Record<string, unknown>)) {
      if (LONE_SURROGATE.test(key)) throw malformedText();
      const reachesPrototype = key === 'constructor' && isObject(child) && Object.hasOwn(child, 'prototype');
      if (key === '__proto__' || reachesPrototype) {
        throw refused(
          'forbidden-key',
          'The body has a forbidden key',
          'Leave out "__proto__" and "constructor.prototype".',
        );
      }
      open.push({ value: child, depth: depth + 1 });
    }
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
