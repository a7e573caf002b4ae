import { EXIT } from '../command-error.ts';
import { maintainService } from '../maintain-service/maintain-service.ts';

/** One parked key's line of a service's `replay` mode. */
interface Replayed {
  readonly projection: string;
  readonly topic: string;
  readonly partition: number;
  readonly status: 'released' | 'still-parked' | 'not-parked';
  readonly documents?: number;
  readonly offset?: number;
  readonly reason?: string;
}

/**
 * `./assent replay <service>`: folds every parked key of a service anew from the log, after what made it poison was
 * mended. 0 only when none is parked any more.
 */
export async function replayParkedKeys(argv: readonly string[]): Promise<number> {
  const { lines, exitCode } = await maintainService(argv, 'replay');
  const replayed = lines.map((line) => JSON.parse(line) as Replayed);
  if (replayed.length === 0 && exitCode === 0) console.log('No key is parked.');
  for (const outcome of replayed) console.log(replayedLine(outcome));
  return exitCode === 0 ? EXIT.ok : EXIT.failed;
}

/** Pure: what became of one key, in words. Keys are told by where they were parked, never by what they are. */
export function replayedLine({ projection, topic, partition, status, documents, offset, reason }: Replayed): string {
  const where = `${projection} ${topic}/${partition}`;
  if (status === 'still-parked') return `${where}: still parked at offset ${offset ?? '?'}: ${reason ?? ''}`.trimEnd();
  if (status === 'not-parked') return `${where}: was released meanwhile`;
  return `${where}: released, ${documents ?? 0} documents folded anew`;
}
