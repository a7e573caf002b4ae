import type { Listed, Source } from './source.ts';

/** What says how large a log is and who signed it, as opposed to its pieces. */
const SMALL_FILE = /(^|\/)(manifest\.json|witness-policy|cosigned-checkpoint|checkpoint|keys\/[0-9a-f]+\.note)$/;
const MISSING = '-';

/** The notes as they were read, base64; `-` for one that was not there. */
export type SavedNotes = Readonly<Record<string, string>>;

/**
 * Reads each checkpoint, key statement and manifest once and answers the same from then on, also in a run that goes on
 * after an interruption: a log that grows meanwhile is verified as it was at the first look.
 */
export class NotesOnce implements Source {
  private readonly notes: Map<string, string>;

  constructor(
    private readonly source: Source,
    saved: SavedNotes = {},
  ) {
    this.notes = new Map(Object.entries(saved));
  }

  get name(): string {
    return this.source.name;
  }

  get lists(): boolean {
    return this.source.lists;
  }

  get bytesRead(): number {
    return this.source.bytesRead;
  }

  async read(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
    if (!SMALL_FILE.test(path)) return this.source.read(path, bytesMax);
    const known = this.notes.get(path);
    if (known !== undefined) return known === MISSING ? undefined : Buffer.from(known, 'base64');
    const bytes = await this.source.read(path, bytesMax);
    this.notes.set(path, bytes === undefined ? MISSING : Buffer.from(bytes).toString('base64'));
    return bytes;
  }

  list(path: string): AsyncIterable<Listed> {
    return this.source.list(path);
  }

  close(): void {
    this.source.close();
  }

  save(): SavedNotes {
    return Object.fromEntries(this.notes);
  }
}
