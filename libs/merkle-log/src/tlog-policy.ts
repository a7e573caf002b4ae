import { LogFormatError } from './errors.ts';
import { COSIGNATURE, parseVerifierKey } from './signed-note.ts';

/** Bytes of a policy that are read, and lines of logs, witnesses and groups: the specification asks for 32 of each. */
export const POLICY_BYTES_MAX = 65_536;
const NAMES_MAX = 256;
/** Predefined: no cosignature is asked for. */
const NONE = 'none';

// eslint-disable-next-line no-control-regex -- the specification allows tab and newline only
const FORBIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f]/;

/** A log that the policy accepts. */
export interface PolicyLog {
  readonly verifierKey: string;
  readonly url?: string;
}

/** A witness: its name in the policy only, its key, and where it takes checkpoints. */
export interface PolicyWitness {
  readonly name: string;
  readonly keyName: string;
  readonly publicKey: Uint8Array;
  readonly url?: string;
}

/** A trust policy of C2SP tlog-policy: which logs, which witnesses, how many of them. */
export interface TlogPolicy {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  /** Whether the witnesses with these policy names are enough. */
  isQuorum(cosigned: ReadonlySet<string>): boolean;
}

type Rule = (cosigned: ReadonlySet<string>) => boolean;

/**
 * Reads a policy file.
 * @throws LogFormatError `malformed-policy`, naming the line
 */
export function parsePolicy(text: string): TlogPolicy {
  if (Buffer.byteLength(text) > POLICY_BYTES_MAX || FORBIDDEN.test(text)) {
    throw malformed('it is too long or has a control character');
  }
  const reader = new PolicyReader();
  for (const [i, line] of text.split('\n').entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== '');
    const [keyword = '#', ...rest] = words;
    if (!keyword.startsWith('#')) reader.read(keyword, rest, i + 1);
  }
  return reader.policy();
}

class PolicyReader {
  private readonly logs: PolicyLog[] = [];
  private readonly witnesses: PolicyWitness[] = [];
  private readonly keys = new Set<string>();
  private readonly rules = new Map<string, Rule>();
  private readonly members = new Set<string>();
  private quorum: Rule | undefined;

  read(keyword: string, words: readonly string[], line: number): void {
    if (keyword === 'log') this.log(words, line);
    else if (keyword === 'witness') this.witness(words, line);
    else if (keyword === 'group') this.group(words, line);
    else if (keyword === 'quorum') this.setQuorum(words, line);
    else throw malformed(`line ${line} begins with none of log, witness, group, quorum`);
  }

  policy(): TlogPolicy {
    const { logs, witnesses, quorum } = this;
    if (quorum === undefined) throw malformed('it has no quorum line');
    return { logs, witnesses, isQuorum: quorum };
  }

  private log([verifierKey = '', url, ...more]: readonly string[], line: number): void {
    if (more.length > 0) throw malformed(`line ${line} is not \`log <vkey> [<url>]\``);
    this.unseen('log', keyOf(verifierKey, line).publicKey, line);
    this.logs.push({ verifierKey, ...(url === undefined ? {} : { url }) });
  }

  private witness([name = '', verifierKey = '', url, ...more]: readonly string[], line: number): void {
    if (more.length > 0) throw malformed(`line ${line} is not \`witness <name> <vkey> [<url>]\``);
    const { name: keyName, publicKey } = keyOf(verifierKey, line, COSIGNATURE);
    this.unseen('witness', publicKey, line);
    this.define(name, (cosigned) => cosigned.has(name), line);
    this.witnesses.push({ name, keyName, publicKey, ...(url === undefined ? {} : { url }) });
  }

  private group([name = '', threshold = '', ...members]: readonly string[], line: number): void {
    const rules = members.map((member) => {
      const rule = this.rules.get(member);
      if (rule === undefined || this.members.has(member)) {
        throw malformed(`line ${line} names ${member}, which is not defined before it or in a group already`);
      }
      this.members.add(member);
      return rule;
    });
    const count =
      { any: 1, all: rules.length }[threshold] ?? (/^[1-9]\d{0,3}$/.test(threshold) ? Number(threshold) : 0);
    if (count < 1 || count > rules.length) throw malformed(`line ${line} asks for ${threshold} of ${rules.length}`);
    this.define(name, (cosigned) => rules.filter((rule) => rule(cosigned)).length >= count, line);
  }

  private setQuorum([name = '', ...more]: readonly string[], line: number): void {
    const rule: Rule | undefined = name === NONE ? () => true : this.rules.get(name);
    if (rule === undefined || more.length > 0 || this.quorum !== undefined) {
      throw malformed(`line ${line} is a second quorum or names what is not defined before it`);
    }
    this.quorum = rule;
  }

  private define(name: string, rule: Rule, line: number): void {
    if (name === '' || name === NONE || this.rules.has(name) || this.rules.size >= NAMES_MAX) {
      throw malformed(`line ${line} defines ${name === '' ? 'nothing' : name} again or too many names`);
    }
    this.rules.set(name, rule);
  }

  private unseen(kind: string, publicKey: Uint8Array, line: number): void {
    const key = `${kind} ${Buffer.from(publicKey).toString('hex')}`;
    if (this.keys.has(key)) throw malformed(`line ${line} has the key of another ${kind}`);
    this.keys.add(key);
  }
}

function keyOf(verifierKey: string, line: number, type?: number): { name: string; publicKey: Uint8Array } {
  try {
    return parseVerifierKey(verifierKey, type);
  } catch (error) {
    if (error instanceof LogFormatError) throw malformed(`the key on line ${line} is not a verifier key of its kind`);
    throw error;
  }
}

function malformed(what: string): LogFormatError {
  return new LogFormatError('malformed-policy', `this is not a trust policy: ${what}`);
}
