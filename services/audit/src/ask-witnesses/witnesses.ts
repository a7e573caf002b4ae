import { type NoteSignature, parsePolicy, type TlogPolicy } from '@assent/merkle-log';
import type { HeadLog, SignedHeads } from '../sign-checkpoints/head-log.ts';
import { type HeadToWitness, WitnessClient, type WitnessOutcome } from './witness-client.ts';

/** Pauses after failures of a witness, ms: from the first to the longest. */
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 60_000;
/** Heads whose way to a quorum is timed: those beyond it are as late as the first. */
const TIMED_MAX = 1_024;

/** What is known of a witness. */
export interface WitnessState {
  readonly name: string;
  readonly outcome: WitnessOutcome['kind'] | 'not-asked';
  /** Why, when it did not cosign. */
  readonly detail?: string;
  /** Entries of the newest head it cosigned for this process; 0 for none. */
  readonly cosignedSize: number;
}

export interface WitnessesOptions {
  /** A C2SP tlog-policy with a URL for every witness. */
  readonly policy: string;
  readonly intervalMs: number;
  readonly clock: { monotonicMs(): number };
  readonly logger: { warn(facts: object, message: string): void; error(facts: object, message: string): void };
  readonly onOutcome: (witness: string, outcome: WitnessOutcome['kind']) => void;
  readonly answerMsMax?: number;
}

interface Witness {
  readonly client: WitnessClient;
  state: WitnessState;
  signature?: NoteSignature;
  failures: number;
  notBeforeMs: number;
}

/**
 * Asks the witnesses of a policy about the newest head, again and again, and publishes what they cosign. All of them are
 * asked about the same head, so that their cosignatures come together. Signing never waits for it.
 */
export class Witnesses {
  private readonly policy: TlogPolicy;
  private readonly witnesses: readonly Witness[];
  private readonly timed: { size: number; atMs: number }[] = [];
  private heads: HeadLog | undefined;
  private policyPublishedBy: HeadLog | undefined;
  private running: Promise<void> | undefined;
  private notBeforeMs = 0;

  /** @throws LogFormatError `malformed-policy` */
  constructor(private readonly options: WitnessesOptions) {
    this.policy = parsePolicy(options.policy);
    this.witnesses = this.policy.witnesses.map((witness) => ({
      client: new WitnessClient(witness, options.answerMsMax),
      state: { name: witness.name, outcome: 'not-asked', cosignedSize: 0 },
      failures: 0,
      notBeforeMs: 0,
    }));
  }

  get states(): readonly WitnessState[] {
    return this.witnesses.map(({ state }) => state);
  }

  /** How long the oldest head without a quorum has waited for one, ms; 0 when the newest has it. */
  get withoutQuorumForMs(): number {
    const [oldest] = this.timed;
    return oldest === undefined ? 0 : this.options.clock.monotonicMs() - oldest.atMs;
  }

  /** Begins a round about the newest head unless one runs or the last began just now. Returns at once. */
  offer(heads: HeadLog): void {
    this.heads = heads;
    const nowMs = this.options.clock.monotonicMs();
    if (this.running !== undefined || nowMs < this.notBeforeMs) return;
    this.notBeforeMs = nowMs + this.options.intervalMs;
    this.running = this.round(heads)
      .catch((error: unknown) => {
        this.options.logger.warn({ err: error }, 'the witnesses could not be asked, or their answers not published');
      })
      .finally(() => {
        this.running = undefined;
      });
  }

  /** Resolves when no round runs. */
  async settled(): Promise<void> {
    await this.running;
  }

  private async round(heads: HeadLog): Promise<void> {
    if (this.policyPublishedBy !== heads) {
      await heads.publishPolicy(this.options.policy);
      this.policyPublishedBy = heads;
    }
    const signed = await heads.signed();
    if (signed === undefined) return;
    const nowMs = this.options.clock.monotonicMs();
    const newestTimed = this.timed.at(-1)?.size ?? (await heads.files.cosignedHead())?.size ?? 0;
    if (signed.size > newestTimed && this.timed.length < TIMED_MAX) this.timed.push({ size: signed.size, atMs: nowMs });
    const due = this.witnesses.filter(
      ({ state, notBeforeMs }) => nowMs >= notBeforeMs && state.cosignedSize !== signed.size,
    );
    if (due.length === 0) return;
    const head = headToWitness(heads, signed);
    await Promise.all(due.map((witness) => this.ask(witness, head)));
    await this.publish(heads, signed);
  }

  private async ask(witness: Witness, head: HeadToWitness): Promise<void> {
    const outcome = await witness.client.ask(head);
    const { name, cosignedSize } = witness.state;
    this.options.onOutcome(name, outcome.kind);
    if (outcome.kind === 'cosigned') {
      witness.signature = outcome.signature;
      witness.state = { name, outcome: 'cosigned', cosignedSize: head.size };
      witness.failures = 0;
      return;
    }
    witness.failures += 1;
    const pauseMs = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** (witness.failures - 1));
    witness.notBeforeMs = this.options.clock.monotonicMs() + pauseMs;
    const changed = witness.state.outcome !== outcome.kind;
    witness.state = { name, outcome: outcome.kind, detail: outcome.detail, cosignedSize };
    const facts = { witness: name, code: outcome.kind, detail: outcome.detail, headsSize: head.size };
    if (outcome.kind === 'split-view') {
      this.options.logger.error(facts, 'SPLIT VIEW: a witness has seen another log under this name');
    } else if (changed) this.options.logger.warn(facts, 'a witness did not cosign');
  }

  /** Publishes the cosignatures of this head, in the order of the policy. */
  private async publish(heads: HeadLog, signed: SignedHeads): Promise<void> {
    const cosigners = this.witnesses.filter(({ state }) => state.cosignedSize === signed.size);
    if (cosigners.length === 0 || this.heads !== heads) return;
    const isQuorum = this.policy.isQuorum(new Set(cosigners.map(({ state }) => state.name)));
    await heads.publishCosigned(
      signed,
      cosigners.flatMap(({ signature }) => signature ?? []),
      isQuorum,
    );
    while (isQuorum && (this.timed[0]?.size ?? Infinity) <= signed.size) this.timed.shift();
  }
}

function headToWitness(heads: HeadLog, { size, note }: SignedHeads): HeadToWitness {
  return {
    size,
    note,
    proofFrom: (oldSize) => heads.files.tree(size).consistencyProof(oldSize),
    newestSize: async () => (await heads.files.head())?.size ?? 0,
  };
}
