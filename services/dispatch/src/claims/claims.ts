import { mongo, type Connection } from 'mongoose';

/** Acknowledged means on a majority and in the journal: a claim that could be taken back would allow a second call. */
const DURABLE = { writeConcern: { w: 'majority', journal: true } } as const;
const PRIMARY = { readPreference: 'primary' } as const;
const COLLECTION = 'claims';
const DUPLICATE_KEY = 11_000;

/**
 * - `open`: nobody is at it. `claimed`: an owner is deciding; it has not begun a call. `calling`: a call has begun, or
 *   may have, and its outcome is not in the log yet. `called`: that outcome is in the log. `closed`: its owner is done
 *   with it and has not called. `cancelled`: it will not be sent.
 */
export type ClaimState = 'open' | 'claimed' | 'calling' | 'called' | 'closed' | 'cancelled';

/** Who cancelled, and so who writes the fact when the first writer fails to. */
export type CancelledBy = 'caller' | 'withdrawal';

export interface Claim {
  /** dispatchId */
  readonly _id: string;
  readonly state: ClaimState;
  /** Epoch of the partition's owner that touched it last. */
  readonly fence: number;
  readonly attemptId: string;
  /** `dispatch.events/<n>` */
  readonly partition: string;
  readonly cancelledBy?: CancelledBy;
}

/**
 * Who may carry out a dispatch, one document each, moved by compare-and-set only. Not a read model, and safe to lose:
 * the log has an intent before each call, and an intent without an outcome is never repeated (I4).
 *
 * `fence` is the epoch with which this process took the partition: an owner that was replaced meanwhile fails every
 * compare-and-set on what its successor has touched. A claim leaves `calling` only after the outcome of its attempt is
 * in the log.
 */
export class Claims {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  async init(): Promise<void> {
    await this.#claims().createIndex({ partition: 1, state: 1 }, {}, {});
  }

  /**
   * Claims a dispatch for one attempt. Answers the claim as it was before, `'fresh'` when there was none, or undefined
   * when it is not to be had: a call has begun, it was cancelled, or a later owner was at it. After a call it can be had
   * only by who has read in the log that this attempt came to nothing. A `closed` one can be had: what the log says,
   * read after the claim, decides whether there is anything left to send.
   *
   * @param cameToNothing attempts of this dispatch that provably left nothing at the provider, by id
   */
  async claim(
    claim: Omit<Claim, 'state'>,
    cameToNothing: readonly string[] = [],
  ): Promise<Claim | 'fresh' | undefined> {
    const { _id, fence, attemptId, partition } = claim;
    const before = await this.#claims().findOneAndUpdate(
      {
        _id,
        fence: { $lte: fence },
        $or: [
          { state: { $in: ['open', 'claimed', 'closed'] } },
          { state: 'called', attemptId: { $in: [...cameToNothing] } },
        ],
      },
      { $set: { state: 'claimed', fence, attemptId, partition } },
      { returnDocument: 'before', includeResultMetadata: false, ...DURABLE },
    );
    if (before !== null) return before;
    return (await this.#inserted({ _id, state: 'claimed', fence, attemptId, partition })) ? 'fresh' : undefined;
  }

  /** The last step before a call. False: the claim was lost, and the call must not begin. */
  startCalling(id: string, fence: number, attemptId: string): Promise<boolean> {
    return this.#move({ _id: id, state: 'claimed', fence, attemptId }, { state: 'calling' });
  }

  /** Gives a dispatch back for a later attempt; only when no call of this attempt has begun or it was refused. */
  reopen(id: string, fence: number, attemptId: string): Promise<boolean> {
    return this.#move({ _id: id, state: { $in: ['claimed', 'calling'] }, fence, attemptId }, { state: 'open' });
  }

  /** The outcome of this attempt's call is in the log. */
  endCall(id: string, fence: number, attemptId: string): Promise<boolean> {
    return this.#move({ _id: id, state: 'calling', fence, attemptId }, { state: 'called' });
  }

  /** There is nothing to do and this attempt has not called. */
  close(id: string, fence: number, attemptId: string): Promise<boolean> {
    return this.#move({ _id: id, state: 'claimed', fence, attemptId }, { state: 'closed' });
  }

  /**
   * Cancels a dispatch that no owner is at. True also when it was cancelled before, so that a repeat gets the same
   * answer; false when an owner is at it or it is done.
   */
  async cancel(id: string, partition: string, cancelledBy: CancelledBy): Promise<boolean> {
    if (await this.#move({ _id: id, state: 'open' }, { state: 'cancelled', cancelledBy })) return true;
    const claim: Claim = { _id: id, state: 'cancelled', fence: 0, attemptId: '', partition, cancelledBy };
    return (await this.#inserted(claim)) || (await this.find(id))?.state === 'cancelled';
  }

  async find(id: string): Promise<Claim | undefined> {
    return (await this.#claims().findOne({ _id: id }, PRIMARY)) ?? undefined;
  }

  /** Claims of a partition (`dispatch.events/<n>`) whose call has begun. */
  calling(partition: string): Promise<Claim[]> {
    return this.#claims().find({ partition, state: 'calling' }, PRIMARY).toArray();
  }

  async #move(filter: mongo.Filter<Claim>, set: Partial<Claim>): Promise<boolean> {
    const { matchedCount } = await this.#claims().updateOne(filter, { $set: set }, DURABLE);
    return matchedCount === 1;
  }

  async #inserted(claim: Claim): Promise<boolean> {
    try {
      await this.#claims().insertOne(claim, DURABLE);
      return true;
    } catch (error) {
      if (error instanceof mongo.MongoServerError && error.code === DUPLICATE_KEY) return false;
      throw error;
    }
  }

  #claims(): mongo.Collection<Claim> {
    return this.#db.collection<Claim>(COLLECTION);
  }
}
