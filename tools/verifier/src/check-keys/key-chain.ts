import { fingerprintOf, sameBytes } from '../merkle/hashes.ts';
import { FormatError, ifWellFormed } from '../notes/format-error.ts';
import { type NoteKey, parseKeyLine, parseNote, renamed, signedBy } from '../notes/signed-note.ts';

/** A key given by the caller: a verifier key line, or the fingerprint of one. */
export type Pin = { readonly fingerprint: string; readonly key?: NoteKey };

/**
 * Reads what a caller trusts: `name+id+base64` or `[sha256:]<64 hex digits>`.
 * @throws FormatError
 */
export function parsePin(text: string): Pin {
  const fingerprint = /^(?:sha256:)?([0-9a-f]{64})$/i.exec(text.trim())?.[1];
  if (fingerprint !== undefined) return { fingerprint: fingerprint.toLowerCase() };
  const key = parseKeyLine(text.trim());
  return { fingerprint: fingerprintOf(key.publicKey), key };
}

/** A key of the chain, and from which size of the log of heads on it signs. */
export interface ChainedKey {
  readonly key: NoteKey;
  readonly fingerprint: string;
  readonly firstHeadsSize: number;
}

/** Whose signatures count: docs/formats/signed-heads.md, "One key follows another". */
export class KeyChain {
  constructor(
    readonly origin: string,
    readonly keys: readonly ChainedKey[],
    /** False for one key of which nobody knows what else the installation has. */
    readonly isWhole = true,
  ) {}

  get fingerprints(): string[] {
    return this.keys.map(({ fingerprint }) => fingerprint);
  }

  /** Every key, under the name it has for a log. */
  under(name: string): NoteKey[] {
    return this.keys.map(({ key }) => renamed(key, `${this.origin}/${name}`));
  }

  /** The key that has to have signed a head of this size. */
  signerOf(headsSize: number): NoteKey | undefined {
    return this.keys.findLast(({ firstHeadsSize }) => firstHeadsSize <= headsSize)?.key;
  }
}

/** How the links of a chain were found to be. */
export interface ChainFound {
  readonly chain: KeyChain;
  /** Ids of the keys, under `<origin>/heads`, whose statement is missing or does not hold. */
  readonly unlinked: readonly string[];
}

/**
 * Puts the keys of an installation in a chain. Only keys that statements link, directly or not, to the trusted one are
 * in it; without a trusted one that is the first.
 *
 * @param statements the notes `keys/<id>.note` of the keys after the first, in their order
 */
export function chainKeys(
  origin: string,
  keys: readonly NoteKey[],
  statements: readonly (Uint8Array | undefined)[],
  trusted: string | undefined,
): ChainFound {
  const unlinked: string[] = [];
  const runs: ChainedKey[][] = [];
  for (const [i, key] of keys.entries()) {
    const before = runs.at(-1)?.at(-1);
    const statement = statements[i - 1];
    const size =
      before === undefined || statement === undefined
        ? undefined
        : ifWellFormed(() => firstHeadsSizeOf(statement, origin, before, key));
    const chained = { key, fingerprint: fingerprintOf(key.publicKey), firstHeadsSize: size ?? 0 };
    if (size === undefined) runs.push([chained]);
    else runs.at(-1)?.push(chained);
    if (size === undefined && i > 0) unlinked.push(key.id);
  }
  const isTrusted = ({ fingerprint }: ChainedKey): boolean => fingerprint === trusted;
  const run = runs.find((chained) => chained.some(isTrusted)) ?? runs[0] ?? [];
  return { chain: new KeyChain(origin, run), unlinked };
}

/** Reads a statement that one key follows another, and checks it. @throws FormatError */
function firstHeadsSizeOf(bytes: Uint8Array, origin: string, before: ChainedKey, key: NoteKey): number {
  const note = parseNote(bytes);
  const [name, sizeText = '', oldLine = '', newLine = '', ...rest] = note.text.split('\n');
  const size = Number(sizeText);
  const says =
    name === `${origin}/keys` &&
    /^[1-9]\d{0,15}$/.test(sizeText) &&
    size > before.firstHeadsSize &&
    sameBytes(parseKeyLine(oldLine).publicKey, before.key.publicKey) &&
    sameBytes(parseKeyLine(newLine).publicKey, key.publicKey) &&
    [oldLine, newLine].every((line) => parseKeyLine(line).name === `${origin}/heads`) &&
    rest.length === 1 &&
    rest[0] === '';
  if (!says) throw new FormatError('it does not say that this key follows the one before');
  for (const signer of [before.key, key]) {
    if (signedBy(note, renamed(signer, `${origin}/keys`)).is !== 'valid')
      throw new FormatError('it is not signed by both keys');
  }
  return size;
}
