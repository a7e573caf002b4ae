import type { GateInputs, Reason } from '@assent/contracts';
import type { Barrier } from '@assent/projection';
import { localInstant, locateRecipient } from '@assent/send-rules';
import type { Clock } from '@assent/service-runtime';
import type { Connection } from 'mongoose';
import { decideGate, type GateVerdict } from '../gate/gate.decider.ts';
import type { DispatchWish } from '../gate/gate.facts.ts';
import { gateInputsOf, type GateVersions } from '../gate/gate-inputs.ts';
import { BARRIER_TIMEOUT_MS, type GateReader, type WishedRecipient } from '../gate/gate-reader.ts';
import type { RecipientAddress, RecipientDocument } from '../recipients/recipient.projection.ts';
import { preferredAddress } from '../recipients/preferred-address.ts';
import type { RecipientLookup } from '../recipients/recipient-lookup.ts';
import type { SealedFields } from '../sealed-fields/sealed-fields.ts';
import { recipientEvidenceOf } from '../recipients/recipient-evidence.ts';
import { templateDocumentId, type TemplateDocument, templateFold } from '../templates/template.projection.ts';
import type { DispatchRequest } from './dispatch-request.ts';

/** How long after its time a message is still worth sending when the request does not say. */
export const EXPIRES_AFTER_DEFAULT_MS = 7 * 86_400_000;
/** Farther ahead nothing is taken: rules, templates and consent will have changed. */
export const SCHEDULE_AHEAD_MAX_MS = 400 * 86_400_000;

/** When a message due at `dueAt` expires, epoch ms: as asked, within what is taken at all. */
export function expiryOf(dueAt: number, asked: number | undefined): number {
  return Math.min(asked ?? dueAt + EXPIRES_AFTER_DEFAULT_MS, dueAt + SCHEDULE_AHEAD_MAX_MS);
}

/** What would become of a request. */
export interface WeighedRequest {
  readonly verdict: GateVerdict;
  /** Instant the verdict is about, epoch milliseconds: the scheduled one, never before now. */
  readonly at: number;
  readonly wish: DispatchWish;
  readonly gate: GateInputs;
  readonly subjectId?: string;
  /** The address it would go to; when nobody is known, the key of the one asked for. */
  readonly addressKey?: string;
}

/**
 * Weighs a request at the instant it is for: who is it, may they be written to, when. Waits first until our read models
 * hold every record acknowledged before it came (an address can be registered in any partition of consent.events); what
 * was appended later, by our own reactions above all, is not waited for. Appends nothing. The gate weighs again at the
 * moment of sending; this answer only spares a caller from waiting for a certain refusal.
 */
export class WeighRequest {
  readonly #db: Connection;
  readonly #barrier: Pick<Barrier, 'ends' | 'reach'>;
  readonly #gate: Pick<GateReader, 'partitions' | 'read'>;
  readonly #recipients: Pick<RecipientLookup, 'partitionsOf' | 'find' | 'addressKeyOf'>;
  readonly #sealed: SealedFields;
  readonly #clock: Clock;
  readonly #versions: GateVersions;

  constructor(deps: {
    db: Connection;
    barrier: Pick<Barrier, 'ends' | 'reach'>;
    gate: Pick<GateReader, 'partitions' | 'read'>;
    recipients: Pick<RecipientLookup, 'partitionsOf' | 'find' | 'addressKeyOf'>;
    sealed: SealedFields;
    clock: Clock;
    versions: GateVersions;
  }) {
    this.#db = deps.db;
    this.#barrier = deps.barrier;
    this.#gate = deps.gate;
    this.#recipients = deps.recipients;
    this.#sealed = deps.sealed;
    this.#clock = deps.clock;
    this.#versions = deps.versions;
  }

  async execute(
    tenant: string,
    dispatchId: string,
    requestId: string,
    request: DispatchRequest,
  ): Promise<WeighedRequest> {
    const limits = { timeoutMs: BARRIER_TIMEOUT_MS };
    const ends = await this.#barrier.ends(this.#gate.partitions(), limits);
    const living = this.#recipients.partitionsOf(request.recipient);
    const { behind } = await this.#barrier.reach(living, { ...limits, ends });
    const [document, template] = await Promise.all([
      this.#recipients.find(tenant, request.recipient),
      this.#templateOf(tenant, request),
    ]);
    const address = document === undefined ? undefined : preferredAddress(document);
    const asked = this.#recipients.addressKeyOf(tenant, request.recipient);
    const addressKey = address?.addressKey ?? asked;
    const recipient = await this.#wishedRecipient(tenant, document, address, request);
    const due = this.#dueAt(request, document, recipient);
    const wish = wishOf({ dispatchId, requestId, at: due.at, category: template?.template.category }, request);
    const reading = await this.#gate.read(wish, recipient, due.at, { ends, document });
    const unknownWhileBehind = document === undefined ? behind : [];
    const facts = { ...reading.facts, behind: [...new Set([...reading.facts.behind, ...unknownWhileBehind])] };
    const verdict =
      due.reason === undefined ? decideGate(facts) : ({ verdict: 'refuse', reasons: [due.reason] } as const);
    return {
      verdict,
      at: due.at,
      wish,
      gate: gateInputsOf(facts, verdict, reading.reached, this.#versions),
      ...(document === undefined ? {} : { subjectId: document._id }),
      ...(addressKey === undefined ? {} : { addressKey }),
    };
  }

  /** A person nobody knows has a name of their own that no document has: the gate then finds nobody. */
  async #wishedRecipient(
    tenant: string,
    document: RecipientDocument | undefined,
    address: RecipientAddress | undefined,
    { recipient }: DispatchRequest,
  ): Promise<WishedRecipient> {
    const subjectId = document?._id ?? ('subjectId' in recipient ? recipient.subjectId : 'unknown');
    if (!('subjectId' in recipient)) return { tenant, subjectId, address: recipient };
    if (address === undefined) return { tenant, subjectId };
    const opened = await this.#sealed.open({ tenant, subjectId }, new Map([['address', address.sealedAddress]]));
    const text = opened.kind === 'opened' ? opened.texts.get('address') : undefined;
    if (text === undefined) return { tenant, subjectId };
    const isPhone = address.kind === 'phone' || address.kind === 'waId';
    return { tenant, subjectId, address: isPhone ? { phone: text } : { bsuid: text } };
  }

  #dueAt(
    { schedule }: DispatchRequest,
    document: RecipientDocument | undefined,
    { address }: WishedRecipient,
  ): { at: number; reason?: Reason } {
    const now = this.#clock.now();
    const wished = schedule.kind === 'now' ? now : schedule.kind === 'at' ? Date.parse(schedule.at) : undefined;
    if (wished !== undefined) return tooFar(wished, now) ?? { at: Math.max(wished, now) };
    if (schedule.kind !== 'local') return { at: now };
    const { zones } = locateRecipient(recipientEvidenceOf(document, address));
    const local = localInstant({ date: schedule.date, time: schedule.time, zones });
    if (local === undefined) {
      const text = 'Nothing tells which time zone the person is in, so a local time means nothing. Declare a zone.';
      return document === undefined ? { at: now } : { at: now, reason: { code: 'zone-unknown', text } };
    }
    return tooFar(local, now) ?? { at: Math.max(local, now) };
  }

  #templateOf(tenant: string, { template }: DispatchRequest): Promise<TemplateDocument | null> {
    return this.#db
      .collection<TemplateDocument>(templateFold.collection)
      .findOne({ _id: templateDocumentId(tenant, template) }, { readPreference: 'primary' });
  }
}

/** A template that is not registered counts as marketing, which is ruled most strictly. */
function wishOf(
  known: { dispatchId: string; requestId: string; at: number; category: DispatchWish['category'] | undefined },
  request: DispatchRequest,
): DispatchWish {
  const { dispatchId, requestId, at, category = 'marketing' } = known;
  return {
    dispatchId,
    class: 'message',
    cause: { kind: 'request', id: requestId },
    purposeId: request.purposeId,
    category,
    senderId: request.senderId,
    template: request.template,
    parameterCount: request.parameters.length,
    schedule: request.schedule,
    expiresAt: expiryOf(at, request.expiresAt),
  };
}

function tooFar(wished: number, now: number): { at: number; reason: Reason } | undefined {
  if (wished <= now + SCHEDULE_AHEAD_MAX_MS) return undefined;
  return { at: wished, reason: { code: 'too-far-ahead', text: 'Messages are taken at most 400 days ahead.' } };
}
