import { EXIT } from '../command-error.ts';
import { maintainService } from '../maintain-service/maintain-service.ts';

/** One projection's line of a service's `rebuild` mode. */
interface Rebuilt {
  readonly projection: string;
  readonly before: string;
  readonly after: string;
  readonly equal: boolean;
  readonly documents: number;
  readonly positions: Readonly<Record<string, number>>;
  readonly parkedBefore: number;
  readonly parkedAfter: number;
}

/** `./assent rebuild <service>`: shows that its read models are a function of the log (I5). 0 only when they are equal. */
export async function rebuildReadModels(argv: readonly string[]): Promise<number> {
  const { lines, exitCode } = await maintainService(argv, 'rebuild');
  for (const line of lines) {
    for (const words of rebuiltLines(JSON.parse(line) as Rebuilt)) console.log(words);
  }
  return exitCode === 0 ? EXIT.ok : EXIT.failed;
}

/** Pure: one projection's outcome in words. */
export function rebuiltLines(rebuilt: Rebuilt): string[] {
  const { projection, before, after, equal, documents, positions, parkedBefore, parkedAfter } = rebuilt;
  const records = Object.values(positions).reduce((sum, next) => sum + next, 0);
  return [
    '',
    `${projection}: ${documents} documents of ${records} records in ${Object.keys(positions).length} partitions`,
    `  digest before  ${before}`,
    `  digest after   ${after}`,
    `  ${equal ? 'equal: the read models are what the log says' : 'NOT EQUAL: the read models said something else than the log'}`,
    ...(parkedBefore + parkedAfter === 0 ? [] : [`  parked keys: ${parkedBefore} before, ${parkedAfter} after`]),
    '',
  ];
}
