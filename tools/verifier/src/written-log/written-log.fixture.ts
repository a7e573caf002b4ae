import { GrowingTree } from '../merkle/growing-tree.ts';
import { type Hash, hexOf, leafHash, sha256 } from '../merkle/hashes.ts';
import { hashesOfLevel, pathOf, type Piece, PIECE_WIDTH } from '../merkle/pieces.ts';
import { leafBytes, type WrittenRecord } from './leaf-bytes.fixture.ts';
import type { TestKey } from './note-signing.fixture.ts';

/** Where the files go: a map in memory, or a folder. */
export interface FileSink {
  write(path: string, bytes: Uint8Array): void;
  remove(path: string): void;
}

/** The files of an audit log, by path. */
export class FilesInMemory implements FileSink {
  constructor(readonly files = new Map<string, Uint8Array>()) {}

  write(path: string, bytes: Uint8Array): void {
    this.files.set(path, bytes);
  }

  remove(path: string): void {
    this.files.delete(path);
  }
}

/** What a leaf is made of: the entry, unless hashes only are kept, and its offset. */
interface WrittenLeaf {
  readonly entry: Uint8Array;
  readonly offset?: number;
}

/** One tlog, written as it grows; a full piece is written once, a partial one when the log is signed. */
class WrittenTree {
  private readonly edges: Hash[][] = [[]];
  private entries: Uint8Array[] = [];
  private offsets: Uint8Array[] = [];
  private readonly partial = new Set<string>();
  private readonly tree = GrowingTree.empty((level, hash) => {
    this.add(level, hash);
  });

  constructor(
    private readonly sink: FileSink,
    readonly prefix: string,
    private readonly keepsEntries = true,
  ) {}

  get size(): number {
    return this.tree.size;
  }

  root(): Hash {
    return this.tree.root();
  }

  append({ entry, offset }: WrittenLeaf): void {
    const hash = leafHash(entry);
    if (this.keepsEntries) this.entries.push(Buffer.concat([uint16(entry.length), entry]));
    if (offset !== undefined) this.offsets.push(uint64(offset));
    this.add(0, hash);
    this.tree.append(hash);
  }

  /** Writes what is not full yet. */
  writePartial(): void {
    for (const path of this.partial) this.sink.remove(path);
    this.partial.clear();
    for (const [level, hashes] of this.edges.entries()) {
      const index = Math.floor(hashesOfLevel(this.size, level) / PIECE_WIDTH);
      if (hashes.length === 0) continue;
      const piece = { level, index, width: hashes.length };
      this.write({ ...piece, kind: 'tile' }, Buffer.concat(hashes));
      if (level > 0) continue;
      if (this.keepsEntries) this.write({ ...piece, kind: 'entries' }, Buffer.concat(this.entries));
      if (this.offsets.length > 0) this.write({ ...piece, kind: 'offsets' }, Buffer.concat(this.offsets));
    }
  }

  private add(level: number, hash: Hash): void {
    const edge = (this.edges[level] ??= []);
    edge.push(hash);
    if (edge.length < PIECE_WIDTH) return;
    const index = Math.floor(this.tree.size / PIECE_WIDTH ** (level + 1));
    const piece = { level, index, width: PIECE_WIDTH };
    this.write({ ...piece, kind: 'tile' }, Buffer.concat(edge));
    this.edges[level] = [];
    if (level > 0) return;
    if (this.keepsEntries) this.write({ ...piece, kind: 'entries' }, Buffer.concat(this.entries));
    if (this.offsets.length > 0) this.write({ ...piece, kind: 'offsets' }, Buffer.concat(this.offsets));
    this.entries = [];
    this.offsets = [];
  }

  private write(piece: Piece, bytes: Uint8Array): void {
    const path = `${this.prefix}/${pathOf(piece)}`;
    if (piece.width < PIECE_WIDTH) this.partial.add(path);
    this.sink.write(path, bytes);
  }
}

/** A record to append; topic, partition and offset are the log's. */
export type AppendedRecord = Pick<WrittenRecord, 'key' | 'headers' | 'value'>;

export interface WrittenLogOptions {
  readonly origin: string;
  readonly sink: FileSink;
  readonly key: TestKey;
  /** How many partitions the heads say that topics have; undefined for saying nothing. Else see `PARTITIONS`. */
  readonly partitions?: Readonly<Record<string, number>> | undefined;
  readonly witnesses?: readonly { readonly name: string; readonly key: TestKey }[];
}

/** The examples of contracts belong to partition 0 then, those of quarantine and of a purpose to 1; other topics have one. */
const PARTITIONS: Readonly<Record<string, number>> = {
  'whatsapp.inbound': 3,
  'consent.catalog': 3,
  'dispatch.requests': 3,
};

const T0 = Date.parse('2026-11-24T09:30:00.000Z');

/**
 * An audit log as docs/formats describes it, written by nothing of the service: for tests that need keys that follow
 * each other, witnesses, pruned entries or lies, and for logs of any size.
 */
export class WrittenLog {
  readonly heads: WrittenTree;
  private readonly logs = new Map<string, { tree: WrittenTree; bound: number; retained: number; nextOffset: number }>();
  private readonly succession: TestKey[];
  private signers: TestKey[];

  constructor(private readonly options: WrittenLogOptions) {
    this.heads = new WrittenTree(options.sink, 'heads');
    this.succession = [options.key];
    this.signers = [options.key];
    this.writeManifest();
  }

  get origin(): string {
    return this.options.origin;
  }

  /** Appends records; `gap` leaves offsets out before the first. */
  append(name: string, records: readonly AppendedRecord[], gap = 0): void {
    const log = this.log(name);
    const [topic = '', partition = ''] = name.split('/');
    log.nextOffset += gap;
    for (const record of records) {
      const offset = log.nextOffset;
      log.nextOffset += 1;
      const value =
        record.value instanceof Uint8Array && record.value.length > 60_000
          ? this.keepApart(log, record.value)
          : record.value;
      const written = { ...record, value, topic, partition: Number(partition), offset, timestampMs: T0 + offset };
      log.tree.append({ entry: leafBytes(written), offset });
    }
  }

  /** Appends a leaf as it is, whatever it says. */
  appendEntry(name: string, entry: Uint8Array, offset: number): void {
    const log = this.log(name);
    log.tree.append({ entry, offset });
    log.nextOffset = offset + 1;
  }

  /** Signs every log that grew, and binds it. */
  sign(): void {
    for (const [name, log] of this.logs) {
      if (log.tree.size === log.bound) continue;
      this.signLog(name);
      this.bindHead(name, log.tree.size, log.tree.root());
      log.bound = log.tree.size;
    }
    this.signHeads();
  }

  /** Signs one log without binding it. */
  signLog(name: string): void {
    const { tree } = this.log(name);
    tree.writePartial();
    this.writeNote(`${tree.prefix}/checkpoint`, this.note(name, tree.size, tree.root()));
  }

  /** Binds a head, true or not. */
  bindHead(name: string, size: number, root: Uint8Array): void {
    const retained = this.logs.get(name)?.retained ?? 0;
    const at = new Date(T0 + this.heads.size).toISOString();
    const partitions = 'partitions' in this.options ? this.options.partitions : PARTITIONS;
    const ofTopic = partitions && `partitions ${partitions[name.split('/')[0] ?? ''] ?? 1}\n`;
    const text = `${checkpointText(`${this.origin}/${name}`, size, root)}at ${at}\nfirst-retained ${retained}\n${ofTopic ?? ''}`;
    this.heads.append({ entry: Buffer.from(text) });
  }

  signHeads(): void {
    this.heads.writePartial();
    this.writeNote('heads/checkpoint', this.note('heads', this.heads.size, this.heads.root()));
  }

  /** Lets these witnesses sign the newest head; answers the note. */
  cosign(...names: string[]): string {
    const text = checkpointText(`${this.origin}/heads`, this.heads.size, this.heads.root());
    const lines = (this.options.witnesses ?? [])
      .filter(({ name }) => names.includes(name))
      .map(({ name, key }) => key.cosignature(name, text, 1_795_512_601));
    const note = `${this.note('heads', this.heads.size, this.heads.root())}${lines.join('')}`;
    this.writeNote('heads/checkpoint', note);
    this.writeNote('heads/cosigned-checkpoint', note);
    return note;
  }

  /** Another key follows; from the next head on it signs, for now beside the one before. */
  rotate(key: TestKey): void {
    const before = this.succession.at(-1) ?? key;
    const [under, name] = [`${this.origin}/heads`, `${this.origin}/keys`];
    const text = `${name}\n${this.heads.size + 1}\n${before.line(under)}\n${key.line(under)}\n`;
    const signatures = [before, key].map((signer) => signer.signature(name, text)).join('');
    this.writeNote(`keys/${key.id(under)}.note`, `${text}\n${signatures}`);
    this.succession.push(key);
    this.signers = [before, key];
    this.writeManifest();
  }

  endOverlap(): void {
    this.signers = this.signers.slice(-1);
  }

  /** Says that entries below a leaf may go, and takes them away. */
  prune(name: string, firstRetained: number, takesAway = true): void {
    const log = this.log(name);
    log.retained = firstRetained;
    this.bindHead(name, log.tree.size, log.tree.root());
    this.signHeads();
    for (let index = 0; takesAway && (index + 1) * PIECE_WIDTH <= firstRetained; index += 1) {
      this.options.sink.remove(
        `${log.tree.prefix}/${pathOf({ kind: 'entries', level: 0, index, width: PIECE_WIDTH })}`,
      );
    }
  }

  /** A policy that asks for `threshold` of the witnesses. */
  policy(threshold: number | 'all' | 'any'): string {
    const witnesses = this.options.witnesses ?? [];
    const lines = witnesses.map(({ name, key }) => `witness ${name} ${key.line(name, 'cosignature')}`);
    return [...lines, `group all ${threshold} ${witnesses.map(({ name }) => name).join(' ')}`, 'quorum all', ''].join(
      '\n',
    );
  }

  size(name: string): number {
    return this.log(name).tree.size;
  }

  /** The signed checkpoint that a log (or `heads`) has now. */
  note(name: string, size: number, root: Uint8Array, signers: readonly TestKey[] = this.signers): string {
    const origin = `${this.origin}/${name}`;
    const text = checkpointText(origin, size, root);
    return `${text}\n${signers.map((key) => key.signature(origin, text)).join('')}`;
  }

  private log(name: string) {
    const known = this.logs.get(name);
    if (known !== undefined) return known;
    const tree = new WrittenTree(this.options.sink, `logs/${name}`, !name.startsWith('dispatch.requests/'));
    const log = { tree, bound: 0, retained: 0, nextOffset: 0 };
    this.logs.set(name, log);
    return log;
  }

  private keepApart({ tree }: { tree: WrittenTree }, value: Uint8Array): { length: number; sha256: Uint8Array } {
    const hash = sha256(value);
    this.options.sink.write(`${tree.prefix}/value/${hexOf(hash)}`, value);
    return { length: value.length, sha256: hash };
  }

  private writeManifest(): void {
    const keys = this.succession.map((key) => key.line(`${this.origin}/heads`));
    const manifest = { format: 'assent-audit-folder/v1', origin: this.origin, keys };
    this.writeNote('manifest.json', `${JSON.stringify(manifest, undefined, 2)}\n`);
  }

  private writeNote(path: string, text: string): void {
    this.options.sink.write(path, Buffer.from(text));
  }
}

export function checkpointText(origin: string, size: number, root: Uint8Array): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

function uint16(n: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(n);
  return bytes;
}

function uint64(n: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(n));
  return bytes;
}
