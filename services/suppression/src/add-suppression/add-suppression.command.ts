import { type AnyEvent, dataSchemaOf, deterministicId, type NewRecord, type Scope } from '@assent/contracts';
import type { Recipient } from '@assent/identity';
import { Appender, type Clock, CLOCK, NEW_ID, type NewId, Problem, type RequestTrace } from '@assent/service-runtime';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { RecipientLookup } from '../recipient-lookup/recipient-lookup.ts';

export class AddSuppression {
  constructor(
    readonly tenant: string,
    readonly actor: string,
    readonly recipient: Recipient,
    readonly scope: Scope,
    readonly reason: string,
    /** Epoch milliseconds; clamped to now. */
    readonly since: number | undefined,
    readonly trace: RequestTrace,
  ) {}
}

export interface AddedSuppression {
  readonly causeIds: readonly string[];
  readonly records: NewRecord[];
}

/**
 * A manual do-not-contact. An address needs no person behind it. For a person named by id it is written under every
 * address key of theirs, so that it also holds for whoever knows them by address only.
 */
@CommandHandler(AddSuppression)
export class AddSuppressionHandler implements ICommandHandler<AddSuppression, AddedSuppression> {
  constructor(
    @Inject(RecipientLookup) private readonly lookup: RecipientLookup,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NEW_ID) private readonly newId: NewId,
  ) {}

  async execute(command: AddSuppression): Promise<AddedSuppression> {
    const addressKeys = await this.addressKeysOf(command);
    const now = this.clock.now();
    const since = new Date(Math.min(command.since ?? now, now)).toISOString();
    const id = this.newId();
    const events = addressKeys.map((addressKey): AnyEvent => {
      const causeId = deterministicId('suppression-cause', command.tenant, id, addressKey);
      const { tenant, scope, reason, actor } = command;
      return {
        id: deterministicId('cause-added', causeId),
        source: '/suppression',
        type: 'suppression.cause-added.v1',
        time: new Date(now).toISOString(),
        tenant,
        partitionKey: addressKey,
        dataSchema: dataSchemaOf('suppression.cause-added.v1'),
        ...command.trace,
        data: { addressKey, causeId, kind: 'manual', scope, reason, actor, since },
      };
    });
    const causeIds = events.flatMap((event) =>
      event.type === 'suppression.cause-added.v1' ? [event.data.causeId] : [],
    );
    return { causeIds, records: this.appender.encode(events) };
  }

  private async addressKeysOf({ tenant, recipient }: AddSuppression): Promise<readonly string[]> {
    const { subjects, addressKeys } = await this.lookup.find(tenant, recipient);
    const key = this.lookup.writeKey(tenant, recipient);
    if (key !== undefined) {
      // A person registered under an older pepper is found by that key when they are asked for by another address.
      const asked = new Set(this.lookup.keysOf(tenant, recipient));
      const registered = subjects.flatMap((subject) => subject.addressKeys).filter((known) => asked.has(known));
      return registered.length > 0 && !registered.includes(key) ? [key, ...new Set(registered)] : [key];
    }
    if (addressKeys.length > 0) return addressKeys;
    throw new Problem({
      status: 404,
      code: 'no-such-subject',
      title: 'Nobody is known under this id',
      detail: 'Name the person by phone, waId or bsuid; an address can be suppressed without being known.',
    });
  }
}
