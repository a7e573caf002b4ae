/* Generated from libs/contracts/schemas by libs/contracts/scripts/generate.mjs; do not edit. */

/**
 * A UUID in lower case; made from its cause by deterministicId, or random.
 */
export type Uuid = string;

/**
 * Random UUID of a person; the pseudonym under which everything about them is recorded.
 */
export type SubjectId = string;

/**
 * UUID made from a WhatsApp message id (wamid) by messageIdOf. The wamid stays out of events because its base64 contains the phone number.
 */
export type MessageId = string;

/**
 * Keyed hash of one address: pepper id, a dot, base64url of HMAC-SHA-256. The pseudonym that suppression lives on.
 */
export type AddressKey = string;

/**
 * AES-256-GCM under the subject's key: v1, initialisation vector (12 bytes) and ciphertext with tag, base64url, joined by dots. At most 256 KiB of plaintext.
 */
export type Sealed = string;

/**
 * JSON Web Encryption in compact form, to a key of dispatch's /.well-known/jwks.json.
 */
export type Jwe = string;

/**
 * RFC 3339 instant in UTC with milliseconds.
 */
export type Instant = string;

/**
 * RFC 3339 instant with any offset and at most nanoseconds, as other programs write it.
 */
export type OffsetInstant = string;

/**
 * One controller in the legal sense.
 */
export type Tenant = string;

/**
 * Id of a purpose, chosen by people.
 */
export type PurposeId = string;

/**
 * Id of a notice, chosen by people.
 */
export type NoticeId = string;

/**
 * Id of a capture point, chosen by people.
 */
export type CapturePointId = string;

/**
 * Id of a rule set, chosen by people.
 */
export type RuleSetId = string;

/**
 * Version, counted from 1.
 */
export type Version = number;

/**
 * WhatsApp phone-number id of a business number.
 */
export type SenderId = string;

/**
 * Sender id as the webhook gave it; need not be one that is registered.
 */
export type QuarantinedSenderId = string;

/**
 * Meta business portfolio id.
 */
export type PortfolioId = string;

/**
 * Name of a WhatsApp message template. WhatsApp itself knows lower case, digits and underscores.
 */
export type TemplateName = string;

/**
 * Language code as WhatsApp templates use them, such as en or en_US.
 */
export type Language = string;

/**
 * IANA time zone name, such as Europe/Berlin.
 */
export type TimeZone = string;

/**
 * ISO 3166 country, or part of one: DE, US-FL.
 */
export type Region = string;

/**
 * A region, or * for everywhere.
 */
export type Jurisdiction = string;

/**
 * Calendar day, YYYY-MM-DD.
 */
export type LocalDate = string;

/**
 * Wall-clock time, HH:MM, 24 hours.
 */
export type LocalTime = string;

/**
 * Who did it: a name from the token table or a service, never a person's address.
 */
export type Actor = string;

/**
 * Stable kebab-case code.
 */
export type ReasonCode = string;

/**
 * Version of data a decision used.
 */
export type InputVersion = string;

/**
 * Where a record stands: topic/partition@offset.
 */
export type PositionToken = string;

/**
 * One log: topic/partition.
 */
export type LogName = string;

/**
 * WhatsApp's category of a message.
 */
export type Category = 'marketing' | 'utility' | 'authentication' | 'service';

/**
 * How the person was asked.
 */
export type CaptureMethod = 'form' | 'button' | 'qr' | 'keyword' | 'agent' | 'api';

/**
 * WhatsApp's status of a message.
 */
export type DeliveryStatus = 'sent' | 'delivered' | 'read' | 'played' | 'failed';

/**
 * What a dispatch is: a message of a platform team, the double-opt-in question, or the receipt of a withdrawal.
 */
export type DispatchClass = 'message' | 'opt-in-ask' | 'withdrawal-receipt';

/**
 * What a withdrawal or a suppression covers. `all` covers purposes of the future too.
 */
export type Scope =
  | {
      kind: 'all';
    }
  | {
      kind: 'channel';
      /**
       * The channel.
       */
      id: 'whatsapp';
    }
  | {
      kind: 'category';
      id: Category;
    }
  | {
      kind: 'purpose';
      id: PurposeId;
    }
  | {
      kind: 'sender';
      id: SenderId;
    };

/**
 * Why something was decided.
 */
export interface Reason {
  /**
   * Stable code for programs.
   */
  code: ReasonCode;
  /**
   * One sentence for people, without personal data.
   */
  text: string;
  /**
   * What it rests on: a position or the id of a rule.
   */
  ref?: string;
}

/**
 * A WhatsApp message template in one language.
 */
export interface TemplateRef {
  name: TemplateName;
  language: Language;
}

/**
 * When a message may leave.
 */
export type Schedule =
  | {
      kind: 'now';
    }
  | {
      kind: 'at';
      /**
       * Earliest instant.
       */
      at: OffsetInstant;
    }
  | {
      kind: 'local';
      /**
       * Calendar day, YYYY-MM-DD.
       */
      date: string;
      /**
       * Wall-clock time, HH:MM, 24 hours.
       */
      time: string;
    };

/**
 * What caused a dispatch.
 */
export interface DispatchCause {
  /**
   * The kind of the causing fact.
   */
  kind: 'request' | 'consent-requested' | 'withdrawal';
  /**
   * Its id: requestId or withdrawalId.
   */
  id: Uuid;
  /**
   * Where it stands, when it came from a topic.
   */
  position?: PositionToken;
}

/**
 * Everything a gate decision used; replaying it with these gives the same verdict.
 */
export interface GateInputs {
  /**
   * For each log, the next offset the decision waited for (everything below it was applied).
   */
  positions: {
    [k: string]: number;
  };
  /**
   * The grant or withdrawal that decided.
   */
  consentPosition?: PositionToken;
  /**
   * Notice the grant was given on.
   */
  noticeId?: NoticeId;
  /**
   * Version of that notice, counted from 1.
   */
  noticeVersion?: Version;
  /**
   * Rule set and version, id@version.
   */
  ruleSet: InputVersion;
  /**
   * Version of the phone number metadata.
   */
  phoneMetadata: InputVersion;
  /**
   * Version of the time zone database.
   */
  tzdb: InputVersion;
  /**
   * Version of the calendars of public holidays.
   */
  holidays?: InputVersion;
  /**
   * Time zones the person may be in; all had to allow it.
   *
   * @maxItems 64
   */
  zones: TimeZone[];
  /**
   * Jurisdictions the person may be in, as far as the address and their own word tell; the rules of all of them had to allow it.
   *
   * @maxItems 64
   */
  regions?: Region[];
  /**
   * The verdict.
   */
  verdict: 'allow' | 'hold' | 'refuse';
  /**
   * What the version that runs in shadow would have decided on the same facts; it decided nothing.
   */
  shadow?: {
    /**
     * Rule set and version, id@version.
     */
    ruleSet: InputVersion;
    /**
     * Its verdict.
     */
    verdict: 'allow' | 'hold' | 'refuse';
    /**
     * Until when it would hold, when it tells.
     */
    until?: Instant;
    /**
     * Its first reason.
     */
    code?: ReasonCode;
    /**
     * The rule of its first reason.
     */
    ref?: string;
  };
  /**
   * When it was decided.
   */
  decidedAt: Instant;
}

/**
 * What is inside a JWE of dispatch.requests.
 */
export interface SealedRequest {
  /**
   * Whom to write to; absent when the event names a subject.
   */
  recipient?:
    | {
        /**
         * E.164 with +.
         */
        phone: string;
      }
    | {
        /**
         * Digits.
         */
        waId: string;
      }
    | {
        /**
         * Country, dot, id.
         */
        bsuid: string;
      }
    | {
        subjectId: SubjectId;
      };
  /**
   * Values of the template's body parameters, in order.
   *
   * @maxItems 100
   */
  parameters: string[];
}

/**
 * The signed head that binds all logs.
 */
export interface AuditCheckpointSigned {
  /**
   * Name of the log of logs.
   */
  origin: string;
  /**
   * When it was signed.
   */
  signedAt: Instant;
  /**
   * The signed note.
   */
  note: string;
  /**
   * Size and root of each log, by topic/partition.
   */
  logs: {
    [k: string]: {
      /**
       * Number of records the tree covers.
       */
      size: number;
      /**
       * Root hash, base64 of 32 bytes.
       */
      root: string;
    };
  };
}

/**
 * Nothing leaves to people who may be there, queued work included: an emergency, a day of mourning. What answers the person's own act is exempt as from hours.
 */
export interface BlackoutDeclared {
  /**
   * This blackout.
   */
  blackoutId: Uuid;
  /**
   * Where; * is everywhere.
   *
   * @minItems 1
   * @maxItems 64
   */
  jurisdictions: Jurisdiction[];
  /**
   * First instant of it.
   */
  from: Instant;
  /**
   * First instant after it; it lasts until it is ended when absent.
   */
  until?: Instant;
  /**
   * Categories it holds; all of them when absent.
   *
   * @minItems 1
   * @maxItems 4
   */
  categories?: Category[];
  /**
   * Why, for people; no personal data.
   */
  reason: string;
  /**
   * Who declared it.
   */
  declaredBy: Actor;
}

/**
 * A blackout is over, before its time or because it had none.
 */
export interface BlackoutEnded {
  /**
   * The blackout.
   */
  blackoutId: Uuid;
  /**
   * Who ended it.
   */
  endedBy: Actor;
}

/**
 * A place where people can opt in.
 */
export interface CapturePointPublished {
  capturePointId: CapturePointId;
  /**
   * Code in links: <tenant>.<capturePointId>.
   */
  publicCode: string;
  /**
   * Ways in that it allows.
   *
   * @minItems 1
   * @maxItems 6
   */
  methods: CaptureMethod[];
  /**
   * Notice it shows.
   */
  noticeId: NoticeId;
  /**
   * Purposes it asks for.
   *
   * @minItems 1
   * @maxItems 32
   */
  purposeIds: PurposeId[];
  /**
   * Business number that asks.
   */
  senderId: SenderId;
  /**
   * Word that opts in when it is written to the sender.
   */
  keyword?: string;
  /**
   * Language it asks in.
   */
  language: Language;
  /**
   * Template of the double-opt-in question.
   */
  confirmationTemplate: TemplateRef;
}

/**
 * A grant of consent. It is proven when its basis is `confirmed`; requestedAt is the instant that orders it against withdrawals.
 */
export interface ConsentGranted {
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  /**
   * This grant.
   */
  grantId: Uuid;
  /**
   * Purposes granted.
   *
   * @minItems 1
   * @maxItems 32
   */
  purposeIds: PurposeId[];
  /**
   * What it rests on: the person's own confirmation, a statement of the caller, or an import.
   */
  basis: 'confirmed' | 'stated' | 'imported';
  /**
   * The request that was confirmed.
   */
  requestId?: Uuid;
  /**
   * When the person asked; orders the grant.
   */
  requestedAt: Instant;
  /**
   * When the grant was given.
   */
  grantedAt: Instant;
  /**
   * Notice it was given on.
   */
  noticeId: NoticeId;
  /**
   * Version of that notice, counted from 1.
   */
  noticeVersion: Version;
  method: CaptureMethod;
  /**
   * How it was confirmed.
   */
  confirmedBy?: {
    /**
     * A button in the message, or the page behind its link.
     */
    kind: 'message' | 'page';
    /**
     * The confirming WhatsApp message, as messageIdOf(wamid).
     */
    messageId?: MessageId;
  };
  /**
   * Business number it was given to.
   */
  senderId?: SenderId;
  /**
   * What proves this (form snapshot, person's own words, note of an agent), sealed under the subject's key.
   */
  sealedEvidence?: Sealed;
}

/**
 * A person asked to opt in; the double-opt-in question is due. Grants nothing.
 */
export interface ConsentRequested {
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  /**
   * This request.
   */
  requestId: Uuid;
  /**
   * Keyed hash of the address to be asked.
   */
  addressKey: AddressKey;
  /**
   * Purposes asked for.
   *
   * @minItems 1
   * @maxItems 32
   */
  purposeIds: PurposeId[];
  /**
   * Category of the messages asked for.
   */
  category: Category;
  /**
   * Where the person asked.
   */
  capturePointId: CapturePointId;
  /**
   * Notice that was shown.
   */
  noticeId: NoticeId;
  /**
   * Version of that notice, counted from 1.
   */
  noticeVersion: Version;
  /**
   * Language the notice was shown in.
   */
  language: Language;
  method: CaptureMethod;
  /**
   * True when it was the person's own message from that address.
   */
  selfStarted: boolean;
  /**
   * Business number that will ask.
   */
  senderId: SenderId;
  /**
   * When the person asked.
   */
  requestedAt: Instant;
  /**
   * From when a confirmation no longer counts.
   */
  expiresAt: Instant;
  /**
   * Time zone the person declared.
   */
  timeZone?: TimeZone;
  /**
   * JSON {payload, url} of the confirmation, sealed under the subject's key.
   */
  sealedConfirmation: Sealed;
  /**
   * What proves this (form snapshot, person's own words, note of an agent), sealed under the subject's key.
   */
  sealedEvidence?: Sealed;
  /**
   * Template of the double-opt-in question, as the capture point named it.
   */
  confirmationTemplate: TemplateRef;
}

/**
 * The platform lifted its own stop. Ends the platform lane only.
 */
export interface ConsentResumed {
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  /**
   * Always the platform.
   */
  lane: 'platform';
  /**
   * What is resumed.
   */
  scope: Scope;
  /**
   * When it happened.
   */
  occurredAt: Instant;
  /**
   * WhatsApp phone-number id of the business number.
   */
  senderId?: SenderId;
}

/**
 * A withdrawal for a sender or tenant that is not known (yet). Kept, and the sender is held.
 */
export interface ConsentWithdrawalQuarantined {
  senderId: QuarantinedSenderId;
  /**
   * When it was received.
   */
  receivedAt: Instant;
  /**
   * What is unknown.
   */
  reason: 'unknown-sender' | 'unknown-tenant';
  /**
   * The webhook update, sealed under the tenant's intake key.
   */
  sealedUpdate: Sealed;
}

/**
 * A withdrawal. Covers everything within its scope that was granted up to effectiveAt.
 */
export interface ConsentWithdrawn {
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  /**
   * This withdrawal.
   */
  withdrawalId: Uuid;
  /**
   * What it covers.
   */
  scope: Scope;
  /**
   * Who withdrew: the person, or the platform on their behalf.
   */
  lane: 'person' | 'platform';
  /**
   * How.
   */
  method: 'keyword' | 'button' | 'page' | 'api' | 'user-preferences' | 'provider-error' | 'agent';
  /**
   * When it happened; never later than its receipt.
   */
  occurredAt: Instant;
  /**
   * End of the source's clock tick plus the skew allowance; ties go to the withdrawal.
   */
  effectiveAt: Instant;
  /**
   * Business number it was said to.
   */
  senderId?: SenderId;
  /**
   * The message it was said in, as messageIdOf(wamid).
   */
  messageId?: MessageId;
  /**
   * True when one receipt is owed.
   */
  receiptDue: boolean;
  /**
   * What proves this (form snapshot, person's own words, note of an agent), sealed under the subject's key.
   */
  sealedEvidence?: Sealed;
}

/**
 * Dispatch took on a message. Whether it may leave is decided when it would leave.
 */
export interface DispatchAccepted {
  /**
   * The dispatch.
   */
  dispatchId: Uuid;
  class: DispatchClass;
  cause: DispatchCause;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  /**
   * Keyed hash of the address to send to.
   */
  addressKey: AddressKey;
  /**
   * Purpose of the message.
   */
  purposeId?: PurposeId;
  /**
   * Category of the template.
   */
  category: Category;
  /**
   * Business number to send from.
   */
  senderId: SenderId;
  template: TemplateRef;
  /**
   * Values of the template's parameters as JSON, sealed under the subject's key.
   */
  sealedParameters?: Sealed;
  schedule: Schedule;
  /**
   * From when it is no longer worth sending.
   */
  expiresAt: Instant;
  /**
   * Who asked.
   */
  requestedBy: Actor;
  /**
   * The platform team's request.
   */
  requestId?: Uuid;
  /**
   * JSON {payload, url} of a double-opt-in question's confirmation, sealed under the subject's key.
   */
  sealedConfirmation?: Sealed;
}

/**
 * The call of an intended attempt never began.
 */
export interface DispatchAttemptAbandoned {
  /**
   * The dispatch.
   */
  dispatchId: Uuid;
  /**
   * The attempt; travels to WhatsApp and back as biz_opaque_callback_data.
   */
  attemptId: Uuid;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  reason: Reason;
}

/**
 * WhatsApp refused the call.
 */
export interface DispatchAttemptFailed {
  /**
   * The dispatch.
   */
  dispatchId: Uuid;
  /**
   * The attempt; travels to WhatsApp and back as biz_opaque_callback_data.
   */
  attemptId: Uuid;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  /**
   * HTTP status of the reply.
   */
  httpStatus?: number;
  /**
   * WhatsApp's error code.
   */
  errorCode?: number;
  /**
   * Class of the error.
   */
  errorClass: ReasonCode;
  /**
   * True when a new attempt may succeed.
   */
  retryable: boolean;
}

/**
 * The gate allowed one call; in the log before the call begins. Without an outcome it counts as unknown and is never repeated.
 */
export interface DispatchAttemptIntended {
  /**
   * The dispatch.
   */
  dispatchId: Uuid;
  /**
   * The attempt; travels to WhatsApp and back as biz_opaque_callback_data.
   */
  attemptId: Uuid;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  /**
   * Keyed hash of the address called.
   */
  addressKey: AddressKey;
  class: DispatchClass;
  cause: DispatchCause;
  /**
   * Purpose it serves; caps count by it.
   */
  purposeId?: PurposeId;
  /**
   * Category of the message; caps count by it.
   */
  category?: Category;
  /**
   * Business number that sends.
   */
  senderId: SenderId;
  /**
   * Epoch of the partition's owner.
   */
  fence: number;
  /**
   * When the gate decided.
   */
  decidedAt: Instant;
  gate: GateInputs;
}

/**
 * WhatsApp accepted the message; that is not yet delivery.
 */
export interface DispatchAttemptSent {
  /**
   * The dispatch.
   */
  dispatchId: Uuid;
  /**
   * The attempt; travels to WhatsApp and back as biz_opaque_callback_data.
   */
  attemptId: Uuid;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  /**
   * The WhatsApp message, as messageIdOf(wamid): a wamid itself contains the phone number.
   */
  messageId: MessageId;
  /**
   * WhatsApp's message_status of the reply.
   */
  messageStatus?: string;
  /**
   * Milliseconds from before the end offsets were asked for to the begin of the call, by a monotonic clock.
   */
  checkToCallMs: number;
  /**
   * Purpose whose consent it used.
   */
  purposeId?: PurposeId;
}

/**
 * Nobody knows whether the call reached WhatsApp. Never re-sent by itself.
 */
export interface DispatchAttemptUnknown {
  /**
   * The dispatch.
   */
  dispatchId: Uuid;
  /**
   * The attempt; travels to WhatsApp and back as biz_opaque_callback_data.
   */
  attemptId: Uuid;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  reason: Reason;
}

/**
 * A message that was not sent will not be. Final.
 */
export interface DispatchCancelled {
  /**
   * The dispatch.
   */
  dispatchId: Uuid;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  reason: Reason;
  /**
   * What cancelled it.
   */
  cause: {
    /**
     * What ended it.
     */
    kind: 'withdrawal' | 'caller' | 'expiry';
    /**
     * Id of the causing fact.
     */
    id?: Uuid;
    /**
     * Where the causing fact stands.
     */
    position?: PositionToken;
  };
}

/**
 * A message may not leave now, and nothing final was decided.
 */
export interface DispatchHeld {
  /**
   * The dispatch.
   */
  dispatchId: Uuid;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  /**
   * Why.
   *
   * @minItems 1
   * @maxItems 64
   */
  reasons: Reason[];
  /**
   * When it is looked at again; absent when a person has to act.
   */
  retryAt?: Instant;
  gate?: GateInputs;
}

/**
 * When a message is due: the earliest instant at which the rules allow it.
 */
export interface DispatchPlanned {
  /**
   * The dispatch.
   */
  dispatchId: Uuid;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  /**
   * Earliest allowed instant.
   */
  dueAt: Instant;
  /**
   * Why it is not earlier; empty when nothing delays it.
   *
   * @minItems 0
   * @maxItems 64
   */
  reasons: Reason[];
  /**
   * What the plan was made with; absent when nothing was decided.
   */
  gate?: GateInputs;
}

/**
 * A message will not be sent. Final.
 */
export interface DispatchRefused {
  /**
   * The dispatch.
   */
  dispatchId: Uuid;
  class: DispatchClass;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId?: SubjectId;
  /**
   * Keyed hash of the address asked for.
   */
  addressKey?: AddressKey;
  purposeId?: PurposeId;
  /**
   * The platform team's request.
   */
  requestId?: Uuid;
  /**
   * Why; the first one decides.
   *
   * @minItems 1
   * @maxItems 64
   */
  reasons: Reason[];
  gate?: GateInputs;
}

/**
 * A request in dispatch.requests could not be understood.
 */
export interface DispatchRequestRefused {
  /**
   * The request; derived from its position when it named none.
   */
  requestId: Uuid;
  /**
   * Why.
   *
   * @minItems 1
   * @maxItems 64
   */
  reasons: Reason[];
  /**
   * Where the request stands.
   */
  requestPosition: PositionToken;
}

/**
 * A platform team asks for a message. Exactly one of subjectId and sealedRecipient; nothing about the person in the clear.
 */
export interface DispatchRequested {
  /**
   * The request, chosen by the platform team; a repeat under the same id is the same request.
   */
  requestId: Uuid;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId?: SubjectId;
  /**
   * JWE of {recipient, parameters}, made by sealDispatchRequest.
   */
  sealedRecipient?: Jwe;
  /**
   * JWE of {parameters}, made by sealDispatchRequest; only together with subjectId.
   */
  sealedParameters?: Jwe;
  /**
   * Purpose of the message.
   */
  purposeId: PurposeId;
  /**
   * Business number to send from.
   */
  senderId: SenderId;
  /**
   * Template to send.
   */
  template: TemplateRef;
  schedule: Schedule;
  /**
   * From when it is no longer worth sending.
   */
  expiresAt?: OffsetInstant;
}

/**
 * WhatsApp's status of a sent message, as dispatch's own lasting fact.
 */
export interface DispatchStatusRecorded {
  /**
   * The dispatch.
   */
  dispatchId: Uuid;
  /**
   * The attempt; travels to WhatsApp and back as biz_opaque_callback_data.
   */
  attemptId: Uuid;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  status: DeliveryStatus;
  /**
   * WhatsApp's time stamp; whole seconds.
   */
  statusAt: Instant;
  /**
   * WhatsApp's error code of a failed message.
   */
  errorCode?: number;
}

/**
 * One day that is a public holiday, or is none, whatever the calendar says: moon-sighted, proclaimed, moved. The newest word about a day counts.
 */
export interface HolidayDeclared {
  /**
   * Where.
   */
  jurisdiction: Region;
  /**
   * The day, in local time.
   */
  date: LocalDate;
  /**
   * Whether it is a public holiday.
   */
  holiday: boolean;
  /**
   * Its name.
   */
  name: string;
  /**
   * Who declared it.
   */
  declaredBy: Actor;
}

/**
 * One version of a notice. A version never changes.
 */
export interface NoticePublished {
  noticeId: NoticeId;
  version: Version;
  /**
   * Purposes the notice asks for.
   *
   * @minItems 1
   * @maxItems 32
   */
  purposeIds: PurposeId[];
  /**
   * Name of the controller as the person sees it.
   */
  controllerName: string;
  /**
   * Texts by language code.
   */
  texts: {
    [k: string]: {
      /**
       * Title.
       */
      title: string;
      /**
       * What the person is told.
       */
      body: string;
      /**
       * Words beside the box that is ticked.
       */
      checkbox: string;
      /**
       * How to stop.
       */
      optOutHint: string;
    };
  };
}

/**
 * A person's preferences changed; what is absent stays as it was.
 */
export interface PreferencesChanged {
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  /**
   * Declared time zone.
   */
  timeZone?: TimeZone;
  /**
   * Preferred language.
   */
  language?: Language;
  /**
   * Where the person says they live, for the rules of that place.
   */
  region?: Region;
  /**
   * The person's own quiet hours, every day, local time; may pass midnight. They only ever narrow what rules allow.
   */
  quietHours?: {
    /**
     * First quiet minute.
     */
    from: LocalTime;
    /**
     * First minute after it.
     */
    to: LocalTime;
  };
  /**
   * At most so many messages in so many hours, over all purposes.
   */
  frequency?: {
    /**
     * Messages.
     */
    attemptsMax: number;
    /**
     * Rolling window, hours; at most 31 days.
     */
    windowHours: number;
  };
  /**
   * What the person took back; it counts as never said.
   *
   * @minItems 1
   * @maxItems 4
   *
   * Items: One preference.
   */
  cleared?: ('timeZone' | 'region' | 'quietHours' | 'frequency')[];
}

/**
 * A purpose of messages.
 */
export interface PurposePublished {
  purposeId: PurposeId;
  /**
   * Name for people.
   */
  name: string;
  /**
   * What messages of this purpose are.
   */
  description: string;
  /**
   * Category of its messages.
   */
  category: Category;
}

/**
 * A version that ran in shadow takes effect.
 */
export interface RuleSetActivated {
  ruleSetId: RuleSetId;
  version: Version;
  /**
   * From when it applies; not before the event.
   */
  effectiveFrom: Instant;
  /**
   * Who activated it.
   */
  activatedBy: Actor;
}

/**
 * One version of the rules for when messages may leave. It never changes. In force from effectiveFrom, or, when it runs in shadow, from its activation.
 */
export interface RuleSetPublished {
  ruleSetId: RuleSetId;
  version: Version;
  /**
   * The rules as data; their shape is that of @assent/send-rules.
   */
  rules: {};
  /**
   * From when it applies.
   */
  effectiveFrom: Instant;
  /**
   * Who published it.
   */
  publishedBy?: Actor;
  /**
   * True: it is in force only once it is activated; until then it runs beside the rules in force and reports what it would change.
   */
  shadow?: boolean;
  /**
   * True: it can be activated only after somebody else than its publisher signed it off.
   */
  secondPerson?: boolean;
}

/**
 * Somebody looked at a version and vouches for it. A sign-off by its publisher does not count as that of a second person.
 */
export interface RuleSetSignedOff {
  ruleSetId: RuleSetId;
  version: Version;
  /**
   * Who vouches.
   */
  signedOffBy: Actor;
  /**
   * What was looked at; no personal data.
   */
  note?: string;
}

/**
 * A business number and its limits.
 */
export interface SenderRegistered {
  /**
   * WhatsApp phone-number id of the business number.
   */
  senderId: SenderId;
  /**
   * Meta business portfolio it belongs to.
   */
  portfolioId: PortfolioId;
  /**
   * Name that people see.
   */
  displayName: string;
  /**
   * Messages per second it may send.
   */
  ratePerSecond: number;
  /**
   * Template of the withdrawal receipt.
   */
  receiptTemplate: TemplateRef;
  /**
   * The number itself, E.164 digits without +, for wa.me links; a business number, not a person's.
   */
  businessNumber?: string;
}

/**
 * An address was found to belong to a subject. One event per address variant, before its first use.
 */
export interface SubjectAddressRegistered {
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId: SubjectId;
  /**
   * Keyed hash of the address.
   */
  addressKey: AddressKey;
  /**
   * Kind of address: E.164 number, WhatsApp id, business-scoped user id of a portfolio or of its parent.
   */
  kind: 'phone' | 'waId' | 'bsuid' | 'parentBsuid';
  /**
   * The canonical address, sealed under the subject's key.
   */
  sealedAddress: Sealed;
}

/**
 * A cause that forbids contacting an address.
 */
export interface SuppressionCauseAdded {
  /**
   * Keyed hash of the address this is about.
   */
  addressKey: AddressKey;
  /**
   * The cause; derived from what caused it.
   */
  causeId: Uuid;
  /**
   * Kind of cause.
   */
  kind: 'manual' | 'provider-verdict' | 'complaint';
  /**
   * What it forbids.
   */
  scope: Scope;
  /**
   * Why, as a code; free text could name the person.
   */
  reason: ReasonCode;
  actor: Actor;
  /**
   * From when it holds.
   */
  since: Instant;
}

/**
 * Causes that no longer hold. A lifted cause stays dead.
 */
export interface SuppressionCauseLifted {
  /**
   * Keyed hash of the address this is about.
   */
  addressKey: AddressKey;
  /**
   * The lifted causes.
   *
   * @minItems 1
   * @maxItems 100
   */
  causeIds: Uuid[];
  /**
   * Why, as a code; free text could name the person.
   */
  reason: ReasonCode;
  actor: Actor;
}

/**
 * A WhatsApp message template.
 */
export interface TemplateRegistered {
  name: TemplateName;
  language: Language;
  /**
   * Category WhatsApp approved it for.
   */
  category: Category;
  /**
   * Body with {{n}} placeholders.
   */
  body: string;
  /**
   * Number of placeholders in the body.
   */
  bodyParameters: number;
  /**
   * Buttons, in order.
   *
   * @minItems 1
   * @maxItems 10
   *
   * Items: One button.
   */
  buttons?: {
    /**
     * Kind of button.
     */
    kind: 'quick-reply';
    /**
     * Label.
     */
    text: string;
    /**
     * True for the button that withdraws; the call gives it the payload that consent knows.
     */
    optsOut?: boolean;
  }[];
}

/**
 * WhatsApp reported something about the business account.
 */
export interface WhatsappAccountUpdated {
  /**
   * WhatsApp business account id.
   */
  wabaId: string;
  /**
   * Field of the webhook, such as account_update.
   */
  field: string;
  /**
   * Event within the field, such as DISABLED_UPDATE.
   */
  event?: string;
  /**
   * When it was received.
   */
  receivedAt: Instant;
}

/**
 * A person wrote to a business number. The text is not kept.
 */
export interface WhatsappMessageReceived {
  /**
   * Business number written to.
   */
  senderId: SenderId;
  /**
   * Keyed hash of the writer's address.
   */
  addressKey: AddressKey;
  /**
   * The person, as the random pseudonym of the directory.
   */
  subjectId?: SubjectId;
  /**
   * The WhatsApp message, as messageIdOf(wamid): a wamid itself contains the phone number.
   */
  messageId: MessageId;
  /**
   * WhatsApp's message type, such as text or button.
   */
  messageType: string;
  /**
   * What the message asks for, if anything.
   */
  control: 'stop' | 'opt-in' | 'confirm' | 'none';
  /**
   * WhatsApp's time stamp; whole seconds.
   */
  sentAt: Instant;
}

/**
 * WhatsApp reported the status of a message. Order and uniqueness are not guaranteed by WhatsApp.
 */
export interface WhatsappStatusReceived {
  /**
   * Business number that sent the message.
   */
  senderId: SenderId;
  /**
   * Keyed hash of the recipient's address, when WhatsApp named it.
   */
  addressKey?: AddressKey;
  /**
   * The WhatsApp message, as messageIdOf(wamid): a wamid itself contains the phone number.
   */
  messageId: MessageId;
  status: DeliveryStatus;
  /**
   * WhatsApp's time stamp; whole seconds.
   */
  statusAt: Instant;
  /**
   * The attempt; travels to WhatsApp and back as biz_opaque_callback_data.
   */
  attemptId?: Uuid;
  /**
   * Errors of a failed message.
   *
   * @minItems 1
   * @maxItems 16
   *
   * Items: One error.
   */
  errors?: {
    /**
     * WhatsApp's error code.
     */
    code: number;
    /**
     * WhatsApp's fixed title of that code.
     */
    title?: string;
  }[];
  /**
   * The dispatch, from biz_opaque_callback_data.
   */
  dispatchId?: Uuid;
  /**
   * The person, from biz_opaque_callback_data.
   */
  subjectId?: SubjectId;
}

/**
 * A verified webhook update that could not be interpreted. Kept sealed.
 */
export interface WhatsappUpdateQuarantined {
  senderId?: QuarantinedSenderId;
  /**
   * When it was received.
   */
  receivedAt: Instant;
  /**
   * Why it could not be interpreted.
   */
  reason: ReasonCode;
  /**
   * The update, sealed under the intake key.
   */
  sealedUpdate: Sealed;
}

/** Data of each event type. */
export interface EventData {
  'audit.checkpoint-signed.v1': AuditCheckpointSigned;
  'blackout.declared.v1': BlackoutDeclared;
  'blackout.ended.v1': BlackoutEnded;
  'capture-point.published.v1': CapturePointPublished;
  'consent.granted.v1': ConsentGranted;
  'consent.requested.v1': ConsentRequested;
  'consent.resumed.v1': ConsentResumed;
  'consent.withdrawal-quarantined.v1': ConsentWithdrawalQuarantined;
  'consent.withdrawn.v1': ConsentWithdrawn;
  'dispatch.accepted.v1': DispatchAccepted;
  'dispatch.attempt-abandoned.v1': DispatchAttemptAbandoned;
  'dispatch.attempt-failed.v1': DispatchAttemptFailed;
  'dispatch.attempt-intended.v1': DispatchAttemptIntended;
  'dispatch.attempt-sent.v1': DispatchAttemptSent;
  'dispatch.attempt-unknown.v1': DispatchAttemptUnknown;
  'dispatch.cancelled.v1': DispatchCancelled;
  'dispatch.held.v1': DispatchHeld;
  'dispatch.planned.v1': DispatchPlanned;
  'dispatch.refused.v1': DispatchRefused;
  'dispatch.request-refused.v1': DispatchRequestRefused;
  'dispatch.requested.v1': DispatchRequested;
  'dispatch.status-recorded.v1': DispatchStatusRecorded;
  'holiday.declared.v1': HolidayDeclared;
  'notice.published.v1': NoticePublished;
  'preferences.changed.v1': PreferencesChanged;
  'purpose.published.v1': PurposePublished;
  'rule-set.activated.v1': RuleSetActivated;
  'rule-set.published.v1': RuleSetPublished;
  'rule-set.signed-off.v1': RuleSetSignedOff;
  'sender.registered.v1': SenderRegistered;
  'subject.address-registered.v1': SubjectAddressRegistered;
  'suppression.cause-added.v1': SuppressionCauseAdded;
  'suppression.cause-lifted.v1': SuppressionCauseLifted;
  'template.registered.v1': TemplateRegistered;
  'whatsapp.account-updated.v1': WhatsappAccountUpdated;
  'whatsapp.message-received.v1': WhatsappMessageReceived;
  'whatsapp.status-received.v1': WhatsappStatusReceived;
  'whatsapp.update-quarantined.v1': WhatsappUpdateQuarantined;
}

/** Every topic that carries events. */
export type TopicName =
  | 'audit.checkpoints'
  | 'consent.catalog'
  | 'consent.events'
  | 'dispatch.events'
  | 'dispatch.policy'
  | 'dispatch.requests'
  | 'suppression.events'
  | 'whatsapp.inbound';
