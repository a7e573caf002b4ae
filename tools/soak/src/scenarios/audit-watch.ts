import { setTimeout as sleep } from 'node:timers/promises';
import { auditFolderOf } from '@assent/cli';
import { headsIn, nameOf, type PublishedHead, publishedHead, wentBack } from '../checkers/audit-heads.ts';
import { logsIn } from '../checkers/audit-trees.ts';
import type { Violation } from '../checkers/evidence.ts';
import { monotonicMs } from '../platform/monotonic.ts';
import type { PartName } from '../platform/parts.ts';
import type { SoakPlatform } from '../platform/soak-platform.ts';
import type { SeededRandom } from '../traffic/seeded-random.ts';

const LOOK_EVERY_MS = 100;
const ANSWER_TIMEOUT_MS = 1_000;

/** What a process said of itself: seconds that its oldest record has waited for a signed and bound head. */
interface AgeSaid {
  readonly part: PartName;
  readonly atMs: number;
  readonly seconds: number;
}

/** Looks all the time at what the audit processes publish: the folder's checkpoints, their answers, their age. */
export class AuditWatch {
  readonly published: PublishedHead[] = [];
  readonly ages: AgeSaid[] = [];
  readonly #platform: SoakPlatform;
  readonly #folder: string;
  readonly #seenInFolder: PublishedHead[] = [];
  readonly #known = new Set<string>();
  readonly #looking: Promise<void>[];
  #isOver = false;

  private constructor(platform: SoakPlatform, random: SeededRandom) {
    this.#platform = platform;
    this.#folder = auditFolderOf(platform.folder);
    this.#looking = [
      this.#again(() => {
        this.look();
      }),
      ...platform.partsOf('audit').map((part) => this.#again(() => this.#ask(part, random.fork()))),
    ];
  }

  static start(platform: SoakPlatform, random: SeededRandom): AuditWatch {
    return new AuditWatch(platform, random);
  }

  /** Reads every checkpoint of the folder now. */
  look(): void {
    for (const head of headsIn(this.#folder, 'in the folder')) {
      this.#seenInFolder.push(head);
      this.#keep(head);
    }
  }

  /** Ends looking; answers which checkpoint files went back to a smaller size. */
  async stop(): Promise<Violation[]> {
    this.#isOver = true;
    await Promise.all(this.#looking);
    this.look();
    return wentBack(this.#seenInFolder);
  }

  /** The oldest age that any process said since an instant (monotonic ms); undefined when none answered. */
  maxAgeSince(sinceMs: number): number | undefined {
    const said = this.ages.filter(({ atMs }) => atMs >= sinceMs).map(({ seconds }) => seconds);
    return said.length === 0 ? undefined : Math.max(...said);
  }

  /** Entries of the log of heads that are signed now; it grows while anything is signed. */
  headsSize(): number {
    return this.#seenInFolder.findLast(({ log }) => log === 'heads')?.size ?? 0;
  }

  async #again(look: () => Promise<void> | void): Promise<void> {
    while (!this.#isOver) {
      await look();
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** The age, the head of all logs and one log's checkpoint, as an auditor gets them; a process may be down. */
  async #ask(part: PartName, random: SeededRandom): Promise<void> {
    const metrics = await this.#get(part, '/metrics');
    const seconds = /^audit_checkpoint_age_seconds(?:\{[^}]*\})? (\S+)$/m.exec(metrics)?.[1];
    if (seconds !== undefined) this.ages.push({ part, atMs: monotonicMs(), seconds: Number(seconds) });
    const logs = logsIn(this.#folder);
    const asked = ['heads', ...(logs.length > 0 ? [random.pick(logs)] : [])];
    for (const log of asked) {
      const head = publishedHead(await this.#get(part, `/${log}/checkpoint`), `answered by ${part}`);
      if (head !== undefined) this.#keep(head);
    }
  }

  #keep(head: PublishedHead): void {
    const name = nameOf(head);
    if (this.#known.has(name)) return;
    this.#known.add(name);
    this.published.push(head);
  }

  async #get(part: PartName, path: string): Promise<string> {
    try {
      const response = await fetch(`${this.#platform.url(part)}${path}`, {
        headers: { authorization: 'Bearer local-auditor' },
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      return response.ok ? await response.text() : '';
    } catch {
      return '';
    }
  }
}
