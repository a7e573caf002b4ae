import type { SavedFindings } from '../findings/findings.ts';
import { FormatError } from '../notes/format-error.ts';
import type { FactsFile, FactsMark } from '../remember/facts-file.ts';
import type { SeenLog, StateFolder } from '../remember/state-folder.ts';
import type { SavedNotes } from '../sources/notes-once.ts';
import type { SavedLog } from './verify-log.ts';

export const PROGRESS_VERSION = 3;

/** Where a run stands; plain data. */
export interface Progress {
  readonly version: number;
  readonly startedAt: string;
  readonly notes: SavedNotes;
  readonly findings: SavedFindings;
  readonly done: Readonly<Record<string, SeenLog | null>>;
  readonly current: { readonly name: string; readonly saved: SavedLog };
  /** What is known of the persons of one partition; undefined when no log about persons was begun. */
  readonly facts: FactsMark | undefined;
}

/** What an interrupted run had done. */
export interface TakenUp {
  readonly progress: Progress;
  readonly facts: FactsFile | undefined;
}

/**
 * What an interrupted run had done: undefined when there is none, `unusable` when what it wrote down is not whole or of
 * another version of this program. Then all of it is removed.
 * @throws StateError
 */
export async function takeUp(state: StateFolder, target: string): Promise<TakenUp | 'unusable' | undefined> {
  try {
    return await writtenDown(state, target);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    await state.forgetProgress(target);
    return 'unusable';
  }
}

/** @throws FormatError when it cannot be used, StateError */
async function writtenDown(state: StateFolder, target: string): Promise<TakenUp | undefined> {
  const progress = await state.progress<Progress>(target);
  if (progress === undefined) return undefined;
  if (progress.version !== PROGRESS_VERSION) throw new FormatError('this is the progress of another version');
  if (progress.facts === undefined) return { progress, facts: undefined };
  const facts = state.factsOf(target, progress.facts.partition);
  if (!(await facts.goBackTo(progress.facts))) throw new FormatError('these are not the facts of the progress');
  return { progress, facts };
}
