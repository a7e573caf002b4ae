/** A record as a test writes it. */
export interface WrittenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[];
  readonly value: Uint8Array | { readonly length: number; readonly sha256: Uint8Array } | null;
}

/** The encoding of docs/formats/leaf-encoding.md, written a second time so that reading can be tested without the service. */
export function leafBytes(record: WrittenRecord): Buffer {
  const parts: Uint8Array[] = [Buffer.of(1), counted(Buffer.from(record.topic)), uint32(record.partition)];
  parts.push(int64(record.offset), int64(record.timestampMs), optional(record.key), uint32(record.headers.length));
  const sorted = record.headers.map(([name, value]) => [Buffer.from(name), value] as const);
  sorted.sort(([a], [b]) => Buffer.compare(a, b));
  for (const [name, value] of sorted) parts.push(counted(name), optional(value));
  const { value } = record;
  if (value !== null && 'sha256' in value) parts.push(Buffer.of(2), uint32(value.length), value.sha256);
  else parts.push(optional(value));
  return Buffer.concat(parts);
}

function uint32(n: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
}

function int64(n: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(n));
  return bytes;
}

function counted(bytes: Uint8Array): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function optional(bytes: Uint8Array | null): Buffer {
  return bytes === null ? Buffer.of(0) : Buffer.concat([Buffer.of(1), counted(bytes)]);
}
