import type { EventLog } from '@assent/event-log';
import type { Barrier, Fold, ProjectedDocument } from '@assent/projection';
import { Problem } from '@assent/service-runtime';
import type { Connection } from 'mongoose';

/** Whose a business number is. */
export interface SenderDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly displayName: string;
  /** E.164 digits without `+`. */
  readonly businessNumber?: string;
}

/** The first tenant that registered a number has it: nobody takes over another one's messages by registering it again. */
export const senderFold: Fold<SenderDocument> = {
  collection: 'senders',
  topics: ['dispatch.policy'],
  idsOf: (event) => (event.type === 'sender.registered.v1' ? [event.data.senderId] : []),
  evolve: (document, event, id) => {
    if (event.type !== 'sender.registered.v1') return document;
    if (document !== undefined && document.tenant !== event.tenant) return document;
    const { displayName, businessNumber } = event.data;
    return { _id: id, tenant: event.tenant, displayName, ...(businessNumber === undefined ? {} : { businessNumber }) };
  },
};

/** How long we wait to be sure that a number is unknown, and not only new; well within WhatsApp's patience. */
const FRESHNESS_TIMEOUT_MS = 2_000;
/** Numbers remembered: more than one installation has; beyond it they are read again. */
const REMEMBERED_MAX = 10_000;

/** Finds the tenant of a business number in our projection of dispatch.policy. */
export class Senders {
  readonly #db: Connection;
  readonly #log: Pick<EventLog, 'partitionFor'>;
  readonly #barrier: Pick<Barrier, 'reach'>;
  /** A number never changes its tenant, so what was found once is so for ever. */
  readonly #tenants = new Map<string, string>();

  constructor(deps: { db: Connection; log: Pick<EventLog, 'partitionFor'>; barrier: Pick<Barrier, 'reach'> }) {
    this.#db = deps.db;
    this.#log = deps.log;
    this.#barrier = deps.barrier;
  }

  /**
   * Whose a business number is; undefined when, up to the end of the log, nobody registered it.
   *
   * @throws Problem 503 `senders-behind` when that can't be known now
   */
  async tenantOf(senderId: string): Promise<string | undefined> {
    const remembered = this.#tenants.get(senderId);
    if (remembered !== undefined) return remembered;
    const tenant = (await this.find(senderId))?.tenant ?? (await this.#fresh(senderId))?.tenant;
    if (tenant !== undefined && this.#tenants.size < REMEMBERED_MAX) this.#tenants.set(senderId, tenant);
    return tenant;
  }

  async find(senderId: string): Promise<SenderDocument | undefined> {
    const found = await this.#db
      .collection<SenderDocument>(senderFold.collection)
      .findOne({ _id: senderId }, { readPreference: 'primary' });
    return found ?? undefined;
  }

  /** A withdrawal for a number that we have merely not read of yet must not be kept as nobody's. */
  async #fresh(senderId: string): Promise<SenderDocument | undefined> {
    const partition = this.#log.partitionFor('dispatch.policy', senderId);
    const { behind } = await this.#barrier.reach([{ topic: 'dispatch.policy', partition }], {
      timeoutMs: FRESHNESS_TIMEOUT_MS,
    });
    if (behind.length === 0) return this.find(senderId);
    throw new Problem({
      status: 503,
      code: 'senders-behind',
      title: 'The business numbers are not up to date',
      detail: 'Try again in a moment; nothing is lost.',
      headers: { 'retry-after': '2' },
    });
  }
}
