import { mongo, type Connection } from 'mongoose';

const COLLECTION = 'sender_rates';
const DUPLICATE_KEY = 11_000;
/** A slot is taken by compare-and-set; so many losers in a row mean that the sender is busy, and the dispatch waits. */
const TRIES_MAX = 20;
/**
 * A slot is taken at most one interval (a second) ahead. One that is farther ahead was taken by a clock that has been
 * set back since, and must not silence the sender until then; what clocks of two machines differ by is far less.
 */
const SLOT_AHEAD_MAX_MS = 10_000;

interface SenderRate {
  /** senderId */
  readonly _id: string;
  /** Epoch milliseconds from which the next message may leave. */
  readonly nextAtMs: number;
}

/**
 * One sender's messages over all processes, evenly spaced at its registered rate: the generic cell rate algorithm
 * without a burst, one document per sender, moved by compare-and-set. No window of any length can hold more than the
 * rate allows. Source: WhatsApp, "Throughput" (80 messages a second by default), error 130429.
 */
export class SenderRates {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /**
   * Takes the next slot when it is due. Answers 0 when it was taken, else the milliseconds to wait before asking again;
   * a slot that is taken and not used is lost, never given to two.
   */
  async take(senderId: string, ratePerSecond: number, nowMs: number): Promise<number> {
    const intervalMs = 1_000 / ratePerSecond;
    for (let round = 0; round < TRIES_MAX; round += 1) {
      const known = await this.#rates().findOne({ _id: senderId }, { readPreference: 'primary' });
      if (known === null) {
        if (await this.#insert({ _id: senderId, nextAtMs: nowMs + intervalMs })) return 0;
        continue;
      }
      if (known.nextAtMs > nowMs && known.nextAtMs <= nowMs + SLOT_AHEAD_MAX_MS)
        return Math.max(1, Math.ceil(known.nextAtMs - nowMs));
      const { matchedCount } = await this.#rates().updateOne(
        { _id: senderId, nextAtMs: known.nextAtMs },
        { $set: { nextAtMs: nowMs + intervalMs } },
      );
      if (matchedCount === 1) return 0;
    }
    return Math.max(1, Math.ceil(intervalMs));
  }

  async #insert(rate: SenderRate): Promise<boolean> {
    try {
      await this.#rates().insertOne(rate);
      return true;
    } catch (error) {
      if (error instanceof mongo.MongoServerError && error.code === DUPLICATE_KEY) return false;
      throw error;
    }
  }

  #rates(): mongo.Collection<SenderRate> {
    return this.#db.collection<SenderRate>(COLLECTION);
  }
}
