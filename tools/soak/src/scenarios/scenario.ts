import type { EvidenceReader } from '../checkers/evidence-reader.ts';
import type { Violation } from '../checkers/evidence.ts';
import type { SoakPlatform } from '../platform/soak-platform.ts';
import type { PlatformSettings } from '../platform/soak-platform.ts';
import type { SeededRandom } from '../traffic/seeded-random.ts';
import type { World } from '../traffic/world.ts';

/** What a run is given. Everything random comes from `random`, so that a seed tells what was done (not when). */
export interface RunContext {
  readonly seed: number;
  readonly random: SeededRandom;
  readonly platform: SoakPlatform;
  /** A sender, templates, a purpose with notice and capture point, and people that no earlier run has used. */
  readonly world: World;
  /** Raw records of every topic since the platform was started. */
  readonly evidence: EvidenceReader;
  /** One line for people. */
  readonly progress: (line: string) => void;
}

export type { Violation };

export interface RunResult {
  readonly violations: readonly Violation[];
  /** What was done and seen, for the table: `{ stops: 40, calls: 120 }`. Numbers of several runs are added up. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface Scenario {
  /** As `--only` names it. */
  readonly name: string;
  readonly invariants: readonly string[];
  /** The platform it needs; runs one after another that need the same share one. */
  readonly platform?: Omit<PlatformSettings, 'folder' | 'random' | 'progress'>;
  /** True: no later run can use the platform. */
  readonly spoilsPlatform?: boolean;
  /** Runs in CI; absent: 1. 0: by hand only. */
  readonly ciRuns?: number;
  /** Leaves every fault healed. Throws when it could not be carried out, which counts as a failed run. */
  run(context: RunContext): Promise<RunResult>;
}

/** A scenario that needs no platform: it starts what it needs by itself. */
export interface StandaloneScenario extends Pick<Scenario, 'name' | 'invariants' | 'ciRuns'> {
  readonly platform: 'none';
  /** Throws when it could not be carried out, which counts as a failed run. */
  run(context: Pick<RunContext, 'seed' | 'progress'>): Promise<RunResult>;
}
