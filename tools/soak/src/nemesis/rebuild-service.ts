import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { asFields } from '../checkers/evidence.ts';
import { scriptOf, type ServiceName } from '@assent/cli';
import { partName } from '../platform/parts.ts';
import type { SoakPlatform } from '../platform/soak-platform.ts';
import type { Violation } from '../scenarios/scenario.ts';

export interface Rebuilt {
  readonly violations: readonly Violation[];
  /** Documents whose digest was compared. */
  readonly documents: number;
}

/**
 * I5: drops the read models of a service and replays them from the log (`main.js rebuild`); their digests before and
 * after must be equal. The service's processes must be down, and stay down.
 *
 * @throws Error when the rebuild itself fails
 */
export async function rebuildService(platform: SoakPlatform, service: ServiceName): Promise<Rebuilt> {
  const name = partName(service, 1);
  const child = spawn(process.execPath, [scriptOf(service), 'rebuild'], {
    env: { ...platform.environmentOf(name) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const projections = output.split('\n').filter((line) => line.startsWith('{'));
  if (projections.length === 0) throw new Error(`${service} could not be rebuilt: ${errors.slice(-500)}`);
  return judgeRebuild(projections.map((line) => asFields(JSON.parse(line))));
}

/** Pure: what the lines of a rebuild say. */
export function judgeRebuild(projections: readonly Readonly<Record<string, unknown>>[]): Rebuilt {
  const unequal = projections.filter(({ equal, before, after }) => equal !== true || before !== after);
  return {
    violations: unequal.map(({ projection }) => ({
      invariant: 'I5',
      what: `${String(projection)} differs from its rebuild at the same positions`,
    })),
    documents: projections.reduce((sum, { documents }) => sum + Number(documents), 0),
  };
}
