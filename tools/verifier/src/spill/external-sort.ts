import { TemporaryFile } from './temporary-file.ts';

export interface SortLimits {
  /** Items that wait in memory before they go to disk as one sorted run. */
  readonly itemsMax: number;
  /** Runs that are merged at once; each needs one read buffer. */
  readonly runsAtOnce: number;
}

/** With items of some 500 bytes, 16 MB in memory. */
const LIMITS: SortLimits = { itemsMax: 32_768, runsAtOnce: 64 };
const READ_BYTES = 65_536;
const WRITE_BYTES = 1_048_576;
const NEWLINE = 0x0a;

/** Something to be sorted: by key, then by order; equals stay as they were added. */
export interface Sorted<T> {
  readonly key: string;
  /** An integer. */
  readonly order: number;
  readonly item: T;
}

/** Bytes of a temporary file that hold sorted items, one a line. */
interface Run {
  readonly file: TemporaryFile;
  readonly start: number;
  readonly end: number;
}

/**
 * Sorts any number of items in bounded memory: what is more than some ten thousand goes to temporary files in sorted
 * runs, which are merged. Items are plain JSON of bounded size.
 */
export class ExternalSort<T> {
  private items: Sorted<T>[] = [];
  private runs: Run[] = [];
  private file: TemporaryFile | undefined;

  constructor(
    /** Where temporary files go. */
    private readonly folder: string,
    private readonly limits: SortLimits = LIMITS,
  ) {}

  /** @throws SpillError */
  add(key: string, order: number, item: T): void {
    this.items.push({ key, order, item });
    if (this.items.length < this.limits.itemsMax) return;
    this.file ??= new TemporaryFile(this.folder);
    this.runs.push(runOf(this.file, this.taken()));
  }

  /** Everything that was added, in order; then there is nothing any more. @throws SpillError */
  *sorted(): Iterable<Sorted<T>> {
    const inMemory = this.taken();
    try {
      while (this.runs.length > this.limits.runsAtOnce) this.mergeSome();
      yield* merged([...this.runs.map((run) => linesOf<T>(run)), inMemory.values()]);
    } finally {
      this.clear();
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.items = [];
    this.runs = [];
    this.file?.close();
    this.file = undefined;
  }

  private taken(): Sorted<T>[] {
    const { items } = this;
    this.items = [];
    return items.sort(compare);
  }

  /** Makes runs that follow each other one run, all of them once; so equals stay in the order they were added. */
  private mergeSome(): void {
    const file = new TemporaryFile(this.folder);
    const runs: Run[] = [];
    for (let at = 0; at < this.runs.length; at += this.limits.runsAtOnce) {
      const some = this.runs.slice(at, at + this.limits.runsAtOnce);
      runs.push(runOf(file, merged(some.map((run) => linesOf<T>(run)))));
    }
    this.file?.close();
    this.file = file;
    this.runs = runs;
  }
}

function compare(a: Sorted<unknown>, b: Sorted<unknown>): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : a.order - b.order;
}

/** Writes sorted items as one run. */
function runOf(file: TemporaryFile, items: Iterable<Sorted<unknown>>): Run {
  const start = file.length;
  let [lines, length] = [[] as string[], 0];
  const write = (): void => {
    file.append(Buffer.from(lines.join('')));
    [lines, length] = [[], 0];
  };
  for (const { key, order, item } of items) {
    const line = `${JSON.stringify([key, order, item])}\n`;
    length += line.length;
    lines.push(line);
    if (length >= WRITE_BYTES) write();
  }
  write();
  return { file, start, end: file.length };
}

function* linesOf<T>({ file, start, end }: Run): Generator<Sorted<T>, undefined> {
  let rest = Buffer.alloc(0);
  for (let at = start; at < end;) {
    const chunk = Buffer.allocUnsafe(Math.min(READ_BYTES, end - at));
    const length = file.read(chunk, at);
    if (length === 0) throw new RangeError('a temporary file was cut');
    at += length;
    const bytes = Buffer.concat([rest, chunk.subarray(0, length)]);
    const last = bytes.lastIndexOf(NEWLINE);
    for (const line of bytes.toString('utf8', 0, Math.max(0, last)).split('\n')) {
      if (line === '') continue;
      const [key, order, item] = JSON.parse(line) as [string, number, T];
      yield { key, order, item };
    }
    rest = bytes.subarray(last + 1);
  }
  return undefined;
}

interface Head<T> {
  readonly of: Iterator<Sorted<T>, undefined>;
  /** Of two equal items the one of the earlier source comes first. */
  readonly rank: number;
  item: Sorted<T>;
}

/** Merges sorted sources: a heap of their first items. */
function* merged<T>(sources: readonly Iterator<Sorted<T>, undefined>[]): Generator<Sorted<T>, undefined> {
  const heap: Head<T>[] = [];
  for (const [rank, of] of sources.entries()) {
    const first = of.next();
    if (first.done !== true) heap.push({ of, rank, item: first.value });
  }
  for (let at = heap.length >> 1; at >= 0; at -= 1) siftDown(heap, at);
  for (let top = heap[0]; top !== undefined; top = heap[0]) {
    yield top.item;
    const next = top.of.next();
    if (next.done !== true) top.item = next.value;
    else {
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) heap[0] = last;
    }
    siftDown(heap, 0);
  }
  return undefined;
}

function siftDown<T>(heap: Head<T>[], from: number): void {
  for (let at = from; ;) {
    const [left, right] = [2 * at + 1, 2 * at + 2];
    let least = at;
    if (isBefore(heap[left], heap[least])) least = left;
    if (isBefore(heap[right], heap[least])) least = right;
    const [here, there] = [heap[at], heap[least]];
    if (least === at || here === undefined || there === undefined) return;
    heap[at] = there;
    heap[least] = here;
    at = least;
  }
}

function isBefore(a: Head<unknown> | undefined, b: Head<unknown> | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const order = compare(a.item, b.item);
  return order < 0 || (order === 0 && a.rank < b.rank);
}
