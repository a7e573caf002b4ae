import { sameBytes } from '../merkle/hashes.ts';
import { FormatError } from './format-error.ts';
import { type NoteKey, parseKeyLine } from './signed-note.ts';

/** The specification asks for 32 of each at least. */
const LINES_MAX = 1_000;

/** A C2SP tlog-policy: which logs are known, which witnesses, and how many of them have to have signed. */
export interface WitnessPolicy {
  readonly logs: readonly NoteKey[];
  readonly witnesses: readonly { readonly name: string; readonly key: NoteKey }[];
  /** How the quorum is written, for people. */
  readonly quorum: string;
  /** Whether the witnesses of these names, as the policy calls them, are enough. */
  isEnough(names: ReadonlySet<string>): boolean;
}

type Rule = (names: ReadonlySet<string>) => boolean;

/**
 * Reads a policy file.
 * @throws FormatError with the number of the line that is not understood
 */
export function parsePolicy(text: string): WitnessPolicy {
  const logs: NoteKey[] = [];
  const witnesses: { name: string; key: NoteKey }[] = [];
  const rules = new Map<string, Rule>();
  const members = new Set<string>();
  let quorum: { name: string; rule: Rule } | undefined;
  const lines = text.split('\n');
  if (lines.length > LINES_MAX) throw new FormatError(`a policy has at most ${LINES_MAX} lines`);
  for (const [i, line] of lines.entries()) {
    const wrong = (what: string): FormatError => new FormatError(`line ${i + 1} of the policy: ${what}`);
    const [word, ...rest] = line.split(/[ \t]+/).filter((part) => part !== '');
    const define = (name: string | undefined, rule: Rule): void => {
      if (name === undefined || name === 'none' || rules.has(name)) throw wrong('a name is missing or taken');
      rules.set(name, rule);
    };
    if (word === undefined || word.startsWith('#')) continue;
    if (word === 'log' && rest.length <= 2) {
      logs.push(keyOf(rest[0], 'ed25519', logs, wrong));
    } else if (word === 'witness' && rest.length <= 3) {
      const [name = ''] = rest;
      witnesses.push({
        name,
        key: keyOf(
          rest[1],
          'cosignature',
          witnesses.map(({ key }) => key),
          wrong,
        ),
      });
      define(name, (names) => names.has(name));
    } else if (word === 'group') {
      const [name, threshold, ...of] = rest;
      define(name, groupRule(threshold, of, rules, members, wrong));
    } else if (word === 'quorum' && rest.length === 1 && quorum === undefined) {
      const [name = ''] = rest;
      const rule = name === 'none' ? () => true : rules.get(name);
      if (rule === undefined) throw wrong('the quorum is not defined above');
      quorum = { name, rule };
    } else throw wrong('it is not understood');
  }
  if (quorum === undefined) throw new FormatError('the policy has no quorum line');
  return { logs, witnesses, quorum: quorum.name, isEnough: quorum.rule };
}

function keyOf(
  line: string | undefined,
  type: NoteKey['type'],
  known: readonly NoteKey[],
  wrong: (what: string) => FormatError,
): NoteKey {
  let key: NoteKey;
  try {
    key = parseKeyLine(line ?? '');
  } catch (error) {
    throw error instanceof FormatError ? wrong(error.message) : error;
  }
  if (key.type !== type) throw wrong(`its key is not of type ${type}`);
  if (known.some(({ publicKey }) => sameBytes(publicKey, key.publicKey))) throw wrong('the key is there twice');
  return key;
}

function groupRule(
  threshold: string | undefined,
  of: readonly string[],
  rules: ReadonlyMap<string, Rule>,
  members: Set<string>,
  wrong: (what: string) => FormatError,
): Rule {
  const parts = of.map((name) => {
    const rule = rules.get(name);
    if (rule === undefined || members.has(name)) throw wrong('a member is not defined above, or in a group already');
    members.add(name);
    return rule;
  });
  const k =
    threshold === 'any'
      ? 1
      : threshold === 'all'
        ? parts.length
        : /^[1-9]\d{0,3}$/.test(threshold ?? '')
          ? Number(threshold)
          : 0;
  if (k < 1 || k > parts.length) throw wrong('the threshold does not fit the number of members');
  return (names) => parts.filter((rule) => rule(names)).length >= k;
}
