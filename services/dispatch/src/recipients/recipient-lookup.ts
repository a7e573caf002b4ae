import type { EventLog, TopicPartition } from '@assent/event-log';
import type { AddressKeys, Recipient } from '@assent/identity';
import { addressesOf } from '@assent/identity';
import type { Connection } from 'mongoose';
import { addressFold, addressId, type AddressDocument } from './address.projection.ts';
import { recipientFold, type RecipientDocument } from './recipient.projection.ts';

/**
 * Finds the person behind an address in our own projection of consent.events. Reads the primary; never writes. People
 * of other tenants are never found.
 */
export class RecipientLookup {
  readonly #db: Connection;
  readonly #log: EventLog;
  readonly #keys: AddressKeys;

  constructor(db: Connection, log: EventLog, keys: AddressKeys) {
    this.#db = db;
    this.#log = log;
    this.#keys = keys;
  }

  /** The key under which an address that nobody is known by is written; undefined for a person named by id. */
  addressKeyOf(tenant: string, recipient: Recipient): string | undefined {
    const [address] = addressesOf(recipient);
    return address === undefined ? undefined : this.#keys.keyOf(tenant, address);
  }

  /** Every key an address may be known by: of each of its variants, by every live pepper. */
  lookupKeysOf(tenant: string, address: Recipient): string[] {
    return this.#keys.lookupKeys(tenant, address);
  }

  /** Where a registration of this recipient can stand: an address in any partition of consent.events. */
  partitionsOf(recipient: Recipient): TopicPartition[] {
    if ('subjectId' in recipient) {
      return [{ topic: 'consent.events', partition: this.#log.partitionFor('consent.events', recipient.subjectId) }];
    }
    return everyPartition(this.#log, 'consent.events');
  }

  /** The person, or undefined. Of several people under one address the one with the most addresses is no better guess: none. */
  async find(tenant: string, recipient: Recipient): Promise<RecipientDocument | undefined> {
    const subjectIds =
      'subjectId' in recipient
        ? [recipient.subjectId]
        : await this.#subjectIdsOf(this.#keys.lookupKeys(tenant, recipient));
    const [subjectId] = subjectIds;
    if (subjectId === undefined || subjectIds.length > 1) return undefined;
    return this.byId(tenant, subjectId);
  }

  async byId(tenant: string, subjectId: string): Promise<RecipientDocument | undefined> {
    const found = await this.#db
      .collection<RecipientDocument>(recipientFold.collection)
      .findOne({ _id: subjectId }, { readPreference: 'primary' });
    return found !== null && found.tenant === tenant ? found : undefined;
  }

  async #subjectIdsOf(addressKeys: readonly string[]): Promise<string[]> {
    const partitions = everyPartition(this.#log, 'consent.events');
    const ids = addressKeys.flatMap((key) => partitions.map(({ partition }) => addressId(key, partition)));
    const found = await this.#db
      .collection<AddressDocument>(addressFold.collection)
      .find({ _id: { $in: ids } }, { readPreference: 'primary' })
      .toArray();
    return [...new Set(found.map(({ subjectId }) => subjectId))];
  }
}

export function everyPartition(log: Pick<EventLog, 'partitionCount'>, topic: string): TopicPartition[] {
  return Array.from({ length: log.partitionCount(topic) }, (_, partition) => ({ topic, partition }));
}
