import { asFields, fieldsOf, logName, type RawRecord, textAt, typeOf } from './evidence.ts';

/** What a withdrawal, or a resume, covers. */
export interface Scope {
  readonly kind: 'all' | 'channel' | 'category' | 'purpose' | 'sender';
  readonly id?: string;
}

export interface Placed {
  /** `consent.events/3` */
  readonly log: string;
  readonly offset: number;
  readonly recordedAtMs: number;
}

export interface Withdrawal extends Placed {
  readonly subjectId: string;
  readonly withdrawalId: string;
  readonly scope: Scope;
  readonly lane: string;
  readonly effectiveAtMs: number;
  readonly receiptDue: boolean;
}

export interface Grant extends Placed {
  readonly subjectId: string;
  readonly purposeIds: readonly string[];
  readonly requestedAtMs: number;
}

export interface Resume extends Placed {
  readonly subjectId: string;
  readonly scope: Scope;
  readonly occurredAtMs: number;
}

export interface ConsentRequest extends Placed {
  readonly subjectId: string;
  readonly requestId: string;
  readonly selfStarted: boolean;
  readonly requestedAtMs: number;
}

/** What the raw consent stream says about people: registers of docs/events/consent.events.md, nothing folded. */
export interface ConsentFacts {
  readonly withdrawals: readonly Withdrawal[];
  /** Proven ones only: an import or a statement of the caller lifts no withdrawal. */
  readonly grants: readonly Grant[];
  readonly resumes: readonly Resume[];
  readonly requests: ReadonlyMap<string, ConsentRequest>;
  /** The log that each person's records stand in. */
  readonly logOf: ReadonlyMap<string, string>;
}

/** What a message is about, to see whether a withdrawal covers it. */
export interface MessageKind {
  readonly purposeId: string | undefined;
  readonly category: string | undefined;
  readonly senderId: string | undefined;
}

export function consentFactsOf(records: readonly RawRecord[]): ConsentFacts {
  const withdrawals: Withdrawal[] = [];
  const grants: Grant[] = [];
  const resumes: Resume[] = [];
  const requests = new Map<string, ConsentRequest>();
  const logOf = new Map<string, string>();
  for (const record of records) {
    if (record.topic !== 'consent.events') continue;
    const data = fieldsOf(record);
    const subjectId = textAt(data, 'subjectId');
    if (subjectId === undefined) continue;
    const at = { subjectId, log: logName(record), offset: record.offset, recordedAtMs: record.recordedAtMs };
    logOf.set(subjectId, at.log);
    switch (typeOf(record)) {
      case 'consent.withdrawn.v1':
        withdrawals.push({
          ...at,
          withdrawalId: textAt(data, 'withdrawalId') ?? '',
          scope: scopeOf(data['scope']),
          lane: textAt(data, 'lane') ?? '',
          effectiveAtMs: instantAt(data, 'effectiveAt'),
          receiptDue: data['receiptDue'] === true,
        });
        break;
      case 'consent.granted.v1':
        if (data['basis'] === 'confirmed') {
          const purposeIds = Array.isArray(data['purposeIds']) ? data['purposeIds'].map(String) : [];
          grants.push({ ...at, purposeIds, requestedAtMs: instantAt(data, 'requestedAt') });
        }
        break;
      case 'consent.resumed.v1':
        resumes.push({ ...at, scope: scopeOf(data['scope']), occurredAtMs: instantAt(data, 'occurredAt') });
        break;
      case 'consent.requested.v1':
        requests.set(textAt(data, 'requestId') ?? '', {
          ...at,
          requestId: textAt(data, 'requestId') ?? '',
          selfStarted: data['selfStarted'] === true,
          requestedAtMs: instantAt(data, 'requestedAt'),
        });
        break;
    }
  }
  return { withdrawals, grants, resumes, requests, logOf };
}

export function covers(scope: Scope, message: MessageKind): boolean {
  switch (scope.kind) {
    case 'all':
      return true;
    case 'channel':
      return scope.id === 'whatsapp';
    case 'category':
      return scope.id === message.category;
    case 'purpose':
      return scope.id === message.purposeId;
    case 'sender':
      return scope.id === message.senderId;
  }
}

/**
 * Whether something later undoes a withdrawal for a message: a proven grant of its purpose asked for after the
 * withdrawal's effect, or, in the platform's lane only, WhatsApp's own resume. `isKnown` says which records count.
 */
export function isUndone(
  facts: ConsentFacts,
  withdrawal: Pick<Withdrawal, 'subjectId' | 'effectiveAtMs' | 'lane' | 'scope'>,
  message: MessageKind,
  isKnown: (placed: Placed) => boolean,
): boolean {
  const { subjectId, effectiveAtMs, lane } = withdrawal;
  const regranted = facts.grants.some(
    (grant) =>
      grant.subjectId === subjectId &&
      grant.requestedAtMs > effectiveAtMs &&
      grant.purposeIds.includes(message.purposeId ?? '') &&
      isKnown(grant),
  );
  if (regranted || lane !== 'platform') return regranted;
  return facts.resumes.some(
    (resume) => resume.subjectId === subjectId && resume.occurredAtMs > effectiveAtMs && isKnown(resume),
  );
}

export function instantAt(fields: Readonly<Record<string, unknown>>, name: string): number {
  return Date.parse(textAt(fields, name) ?? '');
}

/** What can't be read covers everything, as the product has to take it, too. */
function scopeOf(value: unknown): Scope {
  const { kind, id } = asFields(value);
  const kinds: readonly Scope['kind'][] = ['all', 'channel', 'category', 'purpose', 'sender'];
  const known = kinds.find((candidate) => candidate === kind) ?? 'all';
  return typeof id === 'string' ? { kind: known, id } : { kind: known };
}
