import type { AnyEvent } from '@assent/contracts';
import type { Connection } from 'mongoose';
import { dispatchEvent } from '../dispatch-ledger/dispatch-events.ts';
import { type DispatchDocument, dispatchFold, wakeAtOf } from '../dispatch-ledger/dispatch.projection.ts';
import type { EventOf, Reaction } from '../reactions/reaction.ts';

/** Facts after which a message may leave earlier than it is planned for. Later is for the gate: it decides again anyway. */
export const INPUT_CHANGES = [
  'rule-set.published.v1',
  'rule-set.activated.v1',
  'blackout.ended.v1',
  'holiday.declared.v1',
  'preferences.changed.v1',
  'consent.requested.v1',
] as const;
type InputChange = (typeof INPUT_CHANGES)[number];

/**
 * Plans a look at what the rules hold or delay, once they, a blackout, a holiday or what the person said changed. The
 * gate then decides anew and plans it for the instant that is right now; the local time that was asked for stands, the
 * instant is computed again. What this misses (a message that is accepted, or at the gate, in that very moment) is met at the instant planned
 * before.
 */
export class LookAgain implements Reaction<InputChange> {
  readonly to: InputChange;
  readonly #db: Connection;

  constructor(to: InputChange, deps: { db: Connection }) {
    this.to = to;
    this.#db = deps.db;
  }

  async *react(event: EventOf<InputChange>): AsyncIterable<AnyEvent> {
    const affected = affectedBy(event);
    if (affected === undefined) return;
    const { filter, from, isAffected } = affected;
    const { tenant, id: causationId, recordedAt } = event;
    const lookAt = Math.max(Date.parse(recordedAt), from);
    const open = this.#db
      .collection<DispatchDocument>(dispatchFold.collection)
      .find(filter, { readPreference: 'primary' });
    for await (const dispatch of open) {
      const { _id: dispatchId, subjectId } = dispatch;
      const wakeAt = wakeAtOf(dispatch);
      if (dispatch.tenant !== tenant || subjectId === undefined || !isAffected(dispatch)) continue;
      if (wakeAt === undefined || Date.parse(wakeAt) <= lookAt) continue;
      yield dispatchEvent({
        type: 'dispatch.planned.v1',
        tenant,
        key: subjectId,
        at: Date.parse(recordedAt),
        idParts: [dispatchId, causationId],
        causationId,
        data: {
          dispatchId,
          subjectId,
          dueAt: new Date(lookAt).toISOString(),
          reasons: [{ code: 'inputs-changed', text: 'What it was planned with has changed; it is decided on again.' }],
        },
      });
    }
  }
}

/** Whom a change can concern, and from when (epoch ms); undefined when nothing can leave earlier by it. */
function affectedBy(event: EventOf<InputChange>):
  | {
      readonly filter: { readonly delayedFor: string } | { readonly openFor: string };
      readonly from: number;
      readonly isAffected: (dispatch: DispatchDocument) => boolean;
    }
  | undefined {
  const ofTenant = { filter: { delayedFor: event.tenant }, isAffected: () => true };
  switch (event.type) {
    case 'rule-set.published.v1':
      return event.data.shadow === true ? undefined : { ...ofTenant, from: Date.parse(event.data.effectiveFrom) };
    case 'rule-set.activated.v1':
      return { ...ofTenant, from: Date.parse(event.data.effectiveFrom) };
    case 'blackout.ended.v1':
      return { ...ofTenant, from: 0 };
    case 'holiday.declared.v1':
      return event.data.holiday ? undefined : { ...ofTenant, from: 0 };
    case 'preferences.changed.v1':
    case 'consent.requested.v1': {
      const says =
        event.type === 'consent.requested.v1' ? event.data.timeZone !== undefined : isAboutSending(event.data);
      if (!says) return undefined;
      return { filter: { openFor: event.data.subjectId }, from: 0, isAffected: restsOnThePerson };
    }
  }
}

function isAboutSending(data: EventOf<'preferences.changed.v1'>['data']): boolean {
  const { timeZone, region, quietHours, frequency, cleared } = data;
  return [timeZone, region, quietHours, frequency, cleared].some((said) => said !== undefined);
}

/** Delayed by rules, or meant for a time of the person's own day. */
function restsOnThePerson({ delayedFor, schedule }: DispatchDocument): boolean {
  return delayedFor !== undefined || schedule?.kind === 'local';
}
