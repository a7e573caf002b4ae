export { decodeEvent, encodeEvent, VALUE_BYTES_MAX } from './codec.ts';
export { EventDecodeError, EventEncodeError, InvalidEventError, UnknownEventTypeError } from './event-errors.ts';
export type { EventFault, EventFaultCode } from './event-errors.ts';
export type { AnyEvent, AssentEvent, EventType, LogRecord, NewRecord, RecordedEvent, RecordHeader } from './event.ts';
export type {
  Actor,
  AddressKey,
  AuditCheckpointSigned,
  BlackoutDeclared,
  CaptureMethod,
  CapturePointId,
  CapturePointPublished,
  Category,
  ConsentGranted,
  ConsentRequested,
  ConsentResumed,
  ConsentWithdrawalQuarantined,
  ConsentWithdrawn,
  DeliveryStatus,
  DispatchAccepted,
  DispatchAttemptAbandoned,
  DispatchAttemptFailed,
  DispatchAttemptIntended,
  DispatchAttemptSent,
  DispatchAttemptUnknown,
  DispatchCancelled,
  DispatchCause,
  DispatchClass,
  DispatchHeld,
  DispatchPlanned,
  DispatchRefused,
  DispatchRequestRefused,
  DispatchRequested,
  DispatchStatusRecorded,
  EventData,
  GateInputs,
  HolidayDeclared,
  InputVersion,
  Instant,
  Jwe,
  Language,
  LogName,
  MessageId,
  NoticeId,
  NoticePublished,
  OffsetInstant,
  PortfolioId,
  PositionToken,
  PreferencesChanged,
  PurposeId,
  PurposePublished,
  QuarantinedSenderId,
  Reason,
  ReasonCode,
  RuleSetId,
  RuleSetPublished,
  Schedule,
  Scope,
  Sealed,
  SealedRequest,
  SenderId,
  SenderRegistered,
  SubjectAddressRegistered,
  SubjectId,
  SuppressionCauseAdded,
  SuppressionCauseLifted,
  TemplateName,
  TemplateRef,
  TemplateRegistered,
  Tenant,
  TimeZone,
  TopicName,
  Uuid,
  Version,
  WhatsappAccountUpdated,
  WhatsappMessageReceived,
  WhatsappStatusReceived,
  WhatsappUpdateQuarantined,
} from './generated/event-data.ts';
export { EVENT_SCHEMAS, PATTERNS } from './generated/schemas.ts';
export type { JsonSchema } from './generated/schemas.ts';
export { deterministicId, DeterministicIdError, messageIdOf } from './ids.ts';
export { canonicalJson, JSON_DEPTH_MAX, JsonError } from './json.ts';
export type { JsonFault } from './json.ts';
export { formatPosition, parsePosition, PositionError } from './position.ts';
export type { Position } from './position.ts';
export {
  openDispatchRequest,
  SEALED_REQUEST_BYTES_MAX,
  sealDispatchRequest,
  SealedRequestError,
} from './sealed-request.ts';
export type { SealedRequestFault } from './sealed-request.ts';
export { isTopicName, TOPICS } from './topics.ts';
export type { TopicFacts, TopicOwner } from './topics.ts';
export { dataSchemaOf, isEventType, topicOf } from './validation.ts';
