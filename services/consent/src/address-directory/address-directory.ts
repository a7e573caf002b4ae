import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AnyEvent, deterministicId } from '@assent/contracts';
import { type Address, addressesOf, type AddressKeys, type Recipient } from '@assent/identity';
import { seal, type SubjectKeys, SubjectKeysError } from '@assent/sealing';
import type { Appender, Clock, NewId } from '@assent/service-runtime';
import { mongo, type Connection } from 'mongoose';
import { consentEvent } from '../consent-events/consent-events.ts';

/** Not a read model: losing it would make a person known by two ids, so it is as durable as the log. */
const DURABLE = { writeConcern: { w: 'majority', journal: true } } as const;
const COLLECTION = 'address_directory';
const DUPLICATE_KEY = 11_000;

interface AddressEntry {
  /** Address key. */
  readonly _id: string;
  readonly tenant: string;
  readonly subjectId: string;
  /** True once `subject.address-registered.v1` is in the log; before that the entry must not be used. */
  readonly registered: boolean;
}

/** A read that has not left yet: whoever adds a key before it does gets its answer. */
interface SharedRead {
  readonly keys: Set<string>;
  readonly found: Promise<ReadonlyMap<string, AddressEntry>>;
}

interface OpenEntry {
  readonly _id: string;
  readonly subjectId: string;
  readonly address: Address;
}

/** The person behind an address, and the key under which the address itself is known. */
export interface KnownPerson {
  readonly subjectId: string;
  /** Undefined for a person who was named by id. */
  readonly addressKey: string | undefined;
}

/** Looks at the same addresses; each one more means that another caller was first with one of them. */
const ROUNDS_MAX = 8;
/** Keys of one read; the next one is begun beyond it. */
const KEYS_AT_ONCE = 1_000;
/** Registered addresses remembered: some ten megabytes. The oldest is forgotten first. */
const REMEMBERED_MAX = 50_000;

/**
 * Which address is whose (design: Identity). The first registration is decided by a unique `_id`; its event is in the
 * log before the person is used anywhere, so the directory can be rebuilt from consent.events.
 */
export class AddressDirectory {
  readonly #db: Connection;
  readonly #keys: AddressKeys;
  readonly #subjectKeys: SubjectKeys;
  readonly #appender: Appender;
  readonly #clock: Clock;
  readonly #newId: NewId;
  /** Address key to person. A registered entry never changes, so it may be remembered; that one is missing may not. */
  readonly #registered = new Map<string, string>();
  #reading: SharedRead | undefined;

  constructor(deps: {
    db: Connection;
    keys: AddressKeys;
    subjectKeys: SubjectKeys;
    appender: Appender;
    clock: Clock;
    newId: NewId;
  }) {
    this.#db = deps.db;
    this.#keys = deps.keys;
    this.#subjectKeys = deps.subjectKeys;
    this.#appender = deps.appender;
    this.#clock = deps.clock;
    this.#newId = deps.newId;
  }

  /** Everybody known under any variant of this recipient's address, under any live pepper. Writes nothing. */
  async find(tenant: string, recipient: Recipient): Promise<string[]> {
    if ('subjectId' in recipient) return [recipient.subjectId];
    const found = await this.#read(this.#keys.lookupKeys(tenant, recipient));
    return unique(found.filter(({ registered }) => registered).map(({ subjectId }) => subjectId));
  }

  /** Whether this person is one of the tenant's. */
  async isOf(tenant: string, subjectId: string): Promise<boolean> {
    return (await this.#subjectKeys.get(tenant, [subjectId])).get(subjectId)?.state === 'live';
  }

  /** The key that a recipient's address is, or would be, registered under; undefined for a person named by id. */
  addressKeyOf(tenant: string, recipient: Recipient): string | undefined {
    const [address] = addressesOf(recipient);
    return address === undefined ? undefined : this.#keys.keyOf(tenant, address);
  }

  /** A text that may name somebody, as a keyed hash: the same for the same text, and not to be guessed from. */
  pseudonymOf(text: string): string {
    return this.#keys.keyOf('', { kind: 'bsuid', canonical: text });
  }

  /**
   * Who this is, when one of the addresses is known. The others are registered for the same person, so that they are
   * recognised when WhatsApp later tells only one of them (a withheld phone). Registers nobody new.
   */
  async recognise(tenant: string, recipients: readonly Recipient[]): Promise<string | undefined> {
    const addresses = recipients.flatMap((recipient) => addressesOf(recipient));
    const remembered = addresses.map((address) => this.#remembered(tenant, address));
    if (!remembered.includes(undefined)) return remembered[0];
    const found = await this.#read(addresses.flatMap((address) => this.#keys.candidates(tenant, address)));
    if (!found.some(({ registered }) => registered)) return undefined;
    const [person] = await this.findOrRegister(tenant, recipients);
    return person?.subjectId;
  }

  #remembered(tenant: string, address: Address): string | undefined {
    const key = this.#keys.candidates(tenant, address).find((candidate) => this.#registered.has(candidate));
    return key === undefined ? undefined : this.#registered.get(key);
  }

  #remember(entries: readonly { readonly _id: string; readonly subjectId: string }[]): void {
    for (const { _id, subjectId } of entries) this.#registered.set(_id, subjectId);
    for (const oldest of this.#registered.keys()) {
      if (this.#registered.size <= REMEMBERED_MAX) break;
      this.#registered.delete(oldest);
    }
  }

  /**
   * Everybody known under these addresses, whoever has the first of them first; when there is nobody, a new person. Odd
   * and invalid numbers are registered like any other: a withdrawal for them has to be kept (I6). When it resolves every
   * address given is in the log. Entries of `recipients` name one person (a wa_id and a business-scoped id of one
   * webhook); a person named by id counts as known, and gets the addresses that nobody has.
   */
  async findOrRegister(tenant: string, recipients: readonly Recipient[]): Promise<KnownPerson[]> {
    const named = recipients.flatMap((recipient) => ('subjectId' in recipient ? [recipient.subjectId] : []));
    const addresses = recipients.flatMap((recipient) => addressesOf(recipient));
    const [first] = addresses;
    if (first === undefined) return unique(named).map((subjectId) => ({ subjectId, addressKey: undefined }));
    const lookup = addresses.flatMap((address) => this.#keys.candidates(tenant, address));
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const known = await this.#read(lookup);
      const people = unique([...named, ...known.map(({ subjectId }) => subjectId)]);
      const [owner] = people;
      if (owner === undefined) {
        await this.#claim(tenant, addresses);
      } else if (await this.#complete(tenant, owner, addresses, known)) {
        this.#remember(known.filter(({ registered }) => registered));
        const has = new Set(known.map(({ _id }) => _id));
        const addressKey =
          this.#keys.candidates(tenant, first).find((key) => has.has(key)) ?? this.#keys.keyOf(tenant, first);
        return people.map((subjectId) => ({ subjectId, addressKey }));
      }
    }
    throw new Error('the address directory does not come to rest');
  }

  /**
   * The unique `_id` decides between first registrations at the same time; whoever loses finds the winner. Every variant
   * of a number gives the same set of keys, so the smallest one is the one that all of them fight for.
   */
  async #claim(tenant: string, addresses: readonly Address[]): Promise<void> {
    const [contended] = addresses.map((address) => this.#keys.keyOf(tenant, address)).sort();
    if (contended === undefined) return;
    await this.#insert({ _id: contended, tenant, subjectId: this.#newId(), registered: false });
  }

  /**
   * Adds the addresses that nobody has to `owner`, and writes the events that an earlier caller may have died before.
   * False when somebody else was first with one of them: look again.
   */
  async #complete(
    tenant: string,
    owner: string,
    addresses: readonly Address[],
    known: readonly AddressEntry[],
  ): Promise<boolean> {
    const open: OpenEntry[] = [];
    let isSettled = true;
    for (const address of addresses) {
      const keys = this.#keys.candidates(tenant, address);
      const entries = known.filter(({ _id }) => keys.includes(_id));
      open.push(
        ...entries.filter(({ registered }) => !registered).map(({ _id, subjectId }) => ({ _id, subjectId, address })),
      );
      if (entries.length > 0) continue;
      const entry = { _id: this.#keys.keyOf(tenant, address), subjectId: owner };
      if (await this.#insert({ ...entry, tenant, registered: false })) open.push({ ...entry, address });
      else isSettled = false;
    }
    const events: AnyEvent[] = [];
    for (const subjectId of unique(open.map((entry) => entry.subjectId))) {
      const mine = open.filter((entry) => entry.subjectId === subjectId);
      events.push(...(await this.#registrations(tenant, subjectId, mine)));
    }
    if (events.length > 0) await this.#appender.append(events, { urgent: true });
    if (open.length > 0) {
      const ids = open.map(({ _id }) => _id);
      await this.#entries().updateMany({ _id: { $in: ids } }, { $set: { registered: true } }, DURABLE);
      this.#remember(open);
    }
    return isSettled;
  }

  /** None for a person who was erased: nothing may be sealed for them any more. */
  async #registrations(tenant: string, subjectId: string, entries: readonly OpenEntry[]): Promise<AnyEvent[]> {
    const key = await this.#keyOf(tenant, subjectId);
    if (key === undefined) return [];
    const at = this.#clock.now();
    return entries.map(({ _id: addressKey, address }) =>
      consentEvent({
        id: deterministicId('address-registered', tenant, addressKey, subjectId),
        type: 'subject.address-registered.v1',
        tenant,
        key: subjectId,
        at,
        data: {
          subjectId,
          addressKey,
          kind: address.kind,
          sealedAddress: seal(key, tenant, subjectId, 'address', dialled(address)),
        },
      }),
    );
  }

  async #keyOf(tenant: string, subjectId: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#subjectKeys.obtain(tenant, subjectId);
    } catch (error) {
      if (error instanceof SubjectKeysError && error.code === 'key-gone') return undefined;
      throw error;
    }
  }

  async #insert(entry: AddressEntry): Promise<boolean> {
    try {
      await this.#entries().insertOne(entry, DURABLE);
      return true;
    } catch (error) {
      if (error instanceof mongo.MongoServerError && error.code === DUPLICATE_KEY) return false;
      throw error;
    }
  }

  /** In the order of the keys. Callers of the same moment share one round trip: a POST can hold a thousand updates. */
  async #read(keys: readonly string[]): Promise<AddressEntry[]> {
    if (keys.length === 0) return [];
    if (this.#reading === undefined || this.#reading.keys.size >= KEYS_AT_ONCE) this.#reading = this.#startReading();
    const { keys: wanted, found } = this.#reading;
    for (const key of keys) wanted.add(key);
    const entries = await found;
    return unique(keys).flatMap((key) => entries.get(key) ?? []);
  }

  #startReading(): SharedRead {
    const keys = new Set<string>();
    const read = async (): Promise<ReadonlyMap<string, AddressEntry>> => {
      await nextTurn();
      if (this.#reading?.keys === keys) this.#reading = undefined;
      const entries = await this.#entries()
        .find({ _id: { $in: [...keys] } }, { readPreference: 'primary' })
        .toArray();
      return new Map(entries.map((entry) => [entry._id, entry]));
    };
    return { keys, found: read() };
  }

  #entries(): mongo.Collection<AddressEntry> {
    return this.#db.collection<AddressEntry>(COLLECTION);
  }
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** What is sealed: the number as it is dialled, or the business-scoped id as it came. */
function dialled({ kind, canonical }: Address): string {
  return kind === 'phone' || kind === 'waId' ? `+${canonical}` : canonical;
}
