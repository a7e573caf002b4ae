import { randomBytes } from 'node:crypto';

/**
 * Error codes of the Cloud API with their HTTP status and title (Meta's error code page; the codes marked PW there are
 * known from the client library pywa only).
 */
const ERRORS: Readonly<Record<number, readonly [httpStatus: number, title: string]>> = {
  0: [401, 'AuthException'],
  1: [400, 'API Unknown'],
  2: [503, 'API Service'],
  3: [500, 'API Method'],
  4: [400, 'API Too Many Calls'],
  10: [403, 'Permission Denied'],
  33: [400, 'Parameter value is not valid'],
  100: [400, 'Invalid parameter'],
  190: [401, 'Access token has expired'],
  368: [403, 'Temporarily blocked for policies violations'],
  2500: [400, 'Unknown path components'],
  80007: [400, 'Rate limit issues'],
  130429: [400, 'Rate limit hit'],
  130472: [400, "User's number is part of an experiment"],
  130497: [403, 'Business account is restricted from messaging users in this country'],
  131000: [500, 'Something went wrong'],
  131005: [403, 'Access denied'],
  131008: [400, 'Required parameter is missing'],
  131009: [400, 'Parameter value is not valid'],
  131016: [500, 'Service unavailable'],
  131021: [400, 'Recipient cannot be sender'],
  131026: [400, 'Message undeliverable'],
  131030: [400, 'Recipient phone number not in allowed list'],
  131031: [403, 'Account has been locked'],
  131037: [400, 'Display name not approved'],
  131042: [400, 'Business eligibility payment issue'],
  131045: [500, 'Incorrect certificate'],
  131047: [400, 'Re-engagement message'],
  131048: [400, 'Spam rate limit hit'],
  131049: [400, 'This message was not delivered to maintain healthy ecosystem engagement'],
  131050: [400, 'User has stopped receiving marketing messages from this business'],
  131051: [400, 'Unsupported message type'],
  131053: [400, 'Media upload error'],
  131056: [400, '(Business Account, Consumer Account) pair rate limit hit'],
  131057: [500, 'Account in maintenance mode'],
  131062: [400, 'Business-scoped user id not allowed for this message'],
  131063: [400, 'Marketing templates not allowed'],
  131064: [400, 'Messaging limit reached'],
  132000: [400, 'Number of parameters does not match the expected number of params'],
  132001: [404, 'Template name does not exist in the translation'],
  132005: [400, 'Translated text too long'],
  132007: [400, 'Template format character policy violated'],
  132008: [400, 'Template parameter missing'],
  132012: [400, 'Parameter format does not match format in the created template'],
  132015: [400, 'Template is paused'],
  132016: [400, 'Template is disabled'],
  132018: [400, 'There is an issue with the parameters in the template'],
  133004: [503, 'Server is temporarily unavailable'],
  133010: [400, 'Phone number not registered'],
  135000: [400, 'Generic user error'],
  137000: [400, 'Recipient identity key hash mismatch'],
};

export const isGraphErrorCode = (code: number): boolean => code in ERRORS;

/** The body of a refused call, as the Graph API shapes it. */
export interface GraphErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly code: number;
    readonly error_data: { readonly messaging_product: 'whatsapp'; readonly details: string };
    readonly error_subcode?: number;
    readonly fbtrace_id: string;
  };
}

/** A refusal of the Cloud API. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  readonly httpStatus: number;
  readonly title: string;

  constructor(
    readonly code: number,
    readonly details: string,
    private readonly options: { readonly subcode?: number; readonly httpStatus?: number } = {},
  ) {
    const [httpStatus, title] = ERRORS[code] ?? [400, 'Unknown error'];
    super(`(#${code}) ${title}`);
    this.httpStatus = options.httpStatus ?? httpStatus;
    this.title = title;
  }

  body(): GraphErrorBody {
    const { subcode } = this.options;
    return {
      error: {
        message: this.message,
        type: subcode === 33 ? 'GraphMethodException' : 'OAuthException',
        code: this.code,
        error_data: { messaging_product: 'whatsapp', details: this.details },
        ...(subcode === undefined ? {} : { error_subcode: subcode }),
        fbtrace_id: `A${randomBytes(16).toString('base64url')}`,
      },
    };
  }

  /** The same error as a `failed` status carries it. */
  statusError(): object {
    return {
      code: this.code,
      title: this.title,
      message: this.title,
      error_data: { details: this.details },
      href: 'https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes',
    };
  }
}
