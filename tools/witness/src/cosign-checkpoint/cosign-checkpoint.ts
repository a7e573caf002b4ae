import {
  type AddCheckpoint,
  type Checkpoint,
  EMPTY_ROOT,
  formatSignature,
  LogFormatError,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  parseAddCheckpoint,
  parseCheckpoint,
  readNote,
  verifyConsistency,
} from '@assent/merkle-log';
import type { SeenCheckpoints } from '../seen-checkpoints/seen-checkpoints.ts';

/** An answer of C2SP tlog-witness. `finding` is for the witness's own operator. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly contentType: string;
  readonly body: string;
  readonly finding?: 'split-view';
}

/** The logs that are witnessed: by origin, the keys that may sign their checkpoints. */
export type WitnessedLogs = ReadonlyMap<string, readonly NoteVerifier[]>;

/**
 * Answers `POST add-checkpoint` (https://c2sp.org/tlog-witness, 2026-07): cosigns a checkpoint that continues the newest
 * one this witness has cosigned. What it cosigned is on disk before the answer, so it can never cosign two trees that
 * do not continue each other. A checkpoint with a log's valid signature that contradicts what was seen is kept as
 * evidence.
 */
export class CosignCheckpoint {
  constructor(
    private readonly options: {
      readonly logs: WitnessedLogs;
      readonly seen: SeenCheckpoints;
      readonly signer: NoteSigner;
    },
  ) {}

  async add(body: Uint8Array): Promise<WitnessAnswer> {
    const request = requestOf(body);
    const checkpoint = request === undefined ? undefined : checkpointOf(request);
    if (request === undefined || checkpoint === undefined) {
      return refuse(400, 'This is not an add-checkpoint request: old size, proof lines, an empty line, a checkpoint.');
    }
    const verifiers = this.options.logs.get(checkpoint.origin);
    if (verifiers === undefined) return refuse(404, 'This log is not witnessed here.');
    if (!isSigned(noteOf(request), verifiers)) return refuse(403, 'No key that is known for this log has signed this.');
    if (request.oldSize > checkpoint.size) return refuse(400, 'The old size is larger than the checkpoint.');
    return this.#cosign(request, checkpoint);
  }

  async #cosign(request: AddCheckpoint, checkpoint: Checkpoint): Promise<WitnessAnswer> {
    const { seen, signer } = this.options;
    const { origin, size } = checkpoint;
    const newest = await seen.newest(origin);
    if (request.oldSize !== newest.size) return sizeConflict(newest.size);
    const root = Buffer.from(checkpoint.root).toString('base64');
    if (size === newest.size && newest.revision > 0 && root !== newest.root) {
      return { ...sizeConflict(newest.size), ...(await this.#convict(origin, noteOf(request))) };
    }
    const oldRoot = newest.revision === 0 ? EMPTY_ROOT : Buffer.from(newest.root, 'base64');
    if (!verifyConsistency({ oldSize: newest.size, oldRoot, size, root: checkpoint.root, proof: request.proof })) {
      const answer = refuse(422, 'The proof does not lead from the checkpoint that was cosigned last to this one.');
      return { ...answer, ...(await this.#convict(origin, noteOf(request))) };
    }
    if (!(await seen.replace(origin, newest, { size, root }))) return sizeConflict((await seen.newest(origin)).size);
    const text = Buffer.from(readNote(noteOf(request)).text, 'utf8');
    const cosignature = { name: signer.name, keyId: signer.keyId, signature: signer.sign(text) };
    return { status: 200, contentType: 'text/plain; charset=utf-8', body: formatSignature(cosignature) };
  }

  async #convict(origin: string, note: Uint8Array): Promise<{ finding: 'split-view' }> {
    await this.options.seen.keepEvidence(origin, note);
    return { finding: 'split-view' };
  }
}

/** What a parser answers, or undefined for what it refuses. */
function ifWellFormed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof LogFormatError) return undefined;
    throw error;
  }
}

function requestOf(body: Uint8Array): AddCheckpoint | undefined {
  return ifWellFormed(() => parseAddCheckpoint(Buffer.from(body).toString('utf8')));
}

function noteOf({ checkpoint }: AddCheckpoint): Uint8Array {
  return Buffer.from(checkpoint, 'utf8');
}

function checkpointOf(request: AddCheckpoint): Checkpoint | undefined {
  return ifWellFormed(() => parseCheckpoint(readNote(noteOf(request)).text));
}

function isSigned(note: Uint8Array, verifiers: readonly NoteVerifier[]): boolean {
  return ifWellFormed(() => openNote(note, verifiers)) !== undefined;
}

function sizeConflict(size: number): WitnessAnswer {
  return { status: 409, contentType: 'text/x.tlog.size', body: `${size}\n` };
}

function refuse(status: 400 | 403 | 404 | 422, why: string): WitnessAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${why}\n` };
}
