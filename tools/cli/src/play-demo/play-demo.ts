import { CommandError, EXIT } from '../command-error.ts';
import { auditFolderOf, LOCAL_URLS } from '../start-platform/platform-processes.ts';
import type { PlatformState } from '../start-platform/platform-state.ts';
import type { SupervisedPlatform } from '../start-platform/supervised-platform.ts';
import { bringUp } from '../start-platform/up-platform.ts';
import { describePlatform } from '../show-status/show-status.ts';
import { explain } from './audit-steps.ts';
import { askForThree, deliverFirst } from './message-steps.ts';
import { optInByButton, optInByKeyword, optInByQrCode, optInOnPage } from './opt-in-steps.ts';
import { openWorld } from './open-world.ts';
import { publishNotice, registerSender } from './prepare-steps.ts';
import type { Step, World } from './step.ts';
import { cancelScheduled, checkSuppression, getReceipt, refuseNewRequests, writeStop } from './stop-steps.ts';
import { Transcript } from './transcript.ts';
import { exportLogs, type FolderSource, type Verified, verifyLogs } from './verify-steps.ts';

/** Emptied at the start of each demo. */
const DATA_DIR = '.assent/demo';

const STORY: readonly Step[] = [
  registerSender,
  publishNotice,
  optInOnPage,
  optInByButton,
  optInByQrCode,
  optInByKeyword,
  askForThree,
  deliverFirst,
  writeStop,
  getReceipt,
  cancelScheduled,
  refuseNewRequests,
  checkSuppression,
  explain,
];

/**
 * `./assent demo [--exit]`: the story of one STOP over real HTTP and Kafka. Ends with `demo: N passed, N failed`.
 *
 * @returns 0 only when every step held
 */
export async function playDemo(argv: readonly string[]): Promise<number> {
  const exit = argv.includes('--exit');
  if (argv.some((argument) => argument !== '--exit'))
    throw new CommandError('Usage: ./assent demo [--exit]', EXIT.usage);
  const colour = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  const transcript = new Transcript(colour, (line) => {
    console.log(line);
  });
  const startedMs = performance.now();
  transcript.heading('Assent demo: the story of one STOP');
  transcript.line();
  let up: Awaited<ReturnType<typeof bringUp>>;
  try {
    up = await bringUp({
      dataDir: DATA_DIR,
      fresh: true,
      progress: (line) => {
        transcript.note(line);
      },
    });
  } catch (error) {
    if (!(error instanceof CommandError) || error.exitCode === EXIT.interrupted) throw error;
    console.error(error.message);
    transcript.failed += 1;
    transcript.result();
    return error.exitCode;
  }
  for (const line of describePlatform(up.state)) transcript.note(line.trim());
  transcript.note(`everything is ready after ${seconds(performance.now() - startedMs)}`);
  const playing = play(up, transcript, exit, startedMs);
  try {
    return await Promise.race([playing, interruption(up.interrupted)]);
  } catch (error) {
    if (up.interrupted.aborted) transcript.line('\nInterrupted: ending everything that was started …');
    transcript.silence();
    await up.platform.stop();
    throw error;
  }
}

async function play(
  { platform, state }: { platform: SupervisedPlatform; state: PlatformState },
  transcript: Transcript,
  exit: boolean,
  startedMs: number,
): Promise<number> {
  const world = await openWorld({ urls: LOCAL_URLS, brokers: state.kafka?.brokers ?? '' });
  for (const [index, step] of STORY.entries()) await playStep(index + 1, step, world, transcript);
  let verified: Verified | undefined;
  const verify = verifyLogs(exit ? stopped(platform, state, world) : copied(world, state), (result) => {
    verified = result;
  });
  await playStep(STORY.length + 1, verify, world, transcript);
  if (!exit) {
    await world.log.close();
    await platform.release();
  }
  conclude(transcript, world, verified, performance.now() - startedMs);
  if (!exit) transcript.line('It stays up: ./assent status shows it, ./assent down ends it.');
  transcript.result();
  return transcript.failed === 0 ? EXIT.ok : EXIT.failed;
}

/** The folder itself, once nothing runs any more. */
function stopped(platform: SupervisedPlatform, state: PlatformState, { log }: World): FolderSource {
  return {
    says: 'With the services, the broker and the store stopped:',
    take: async () => {
      await log.close();
      await platform.stop();
      return auditFolderOf(state.folder ?? DATA_DIR);
    },
  };
}

/** A copy as the audit service makes one, whole although the log grows meanwhile. */
function copied(world: World, state: PlatformState): FolderSource {
  return { says: 'On a copy of the folder, since the platform stays up:', take: () => exportLogs(world, state) };
}

/** A step that does not hold does not keep the later ones from being tried. */
async function playStep(number: number, step: Step, world: World, transcript: Transcript): Promise<void> {
  const startedMs = performance.now();
  try {
    const outcome = await step.run(world);
    transcript.held(number, step.title, outcome, performance.now() - startedMs);
  } catch (error) {
    transcript.notHeld(number, step.title, error, performance.now() - startedMs);
  }
}

function conclude(transcript: Transcript, { known }: World, verified: Verified | undefined, tookMs: number): void {
  const { stop } = known;
  const refusal =
    stop === undefined
      ? 'not measured'
      : stop.toRefusalMs === 0
        ? 'refused before the 200 was out'
        : `${stop.toRefusalMs.toFixed(0)} ms`;
  const log =
    verified === undefined
      ? 'not verified'
      : `${verified.leaves} records in ${verified.logs} logs, ${verified.faults === 0 ? 'no faults' : `${verified.faults} FAULTS`}`;
  transcript.line();
  transcript.box([
    ['STOP acknowledged → first refusal', refusal],
    ['decisions asked for after it', stop === undefined ? 'none' : `${stop.decisionsAfter}, none allowed`],
    ['audit log, verified offline', log],
    ['the whole run', seconds(tookMs)],
  ]);
  transcript.line();
}

function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new CommandError('Interrupted. Nothing keeps running.', EXIT.interrupted));
    });
  });
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
