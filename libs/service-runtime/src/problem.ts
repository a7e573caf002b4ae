/** What a problem is made of; see {@link Problem}. */
export interface ProblemOptions {
  /** HTTP status, 400 to 599. */
  status: number;
  /** Stable, kebab-case: clients branch on it. Never changes once released. */
  code: string;
  /** The same words for every occurrence of the code. */
  title: string;
  /** What a person can do about this occurrence. No personal data, no values of the request. */
  detail: string;
  /** Further members of the answer, JSON. */
  extra?: Readonly<Record<string, unknown>>;
  /** Further answer headers, for example `retry-after`. */
  headers?: Readonly<Record<string, string>>;
}

/** A refusal that the caller is told about as `application/problem+json` (RFC 9457). Throw it from anywhere in a request. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(options: ProblemOptions) {
    super(`${options.code}: ${options.detail}`);
    this.name = 'Problem';
    this.status = options.status;
    this.code = options.code;
    this.title = options.title;
    this.detail = options.detail;
    this.extra = options.extra ?? {};
    this.headers = options.headers ?? {};
  }

  /** The body of the answer. `instance` finds the request in the log. */
  toBody(requestId: string): Record<string, unknown> {
    return {
      ...this.extra,
      type: `urn:assent:problem:${this.code}`,
      title: this.title,
      status: this.status,
      detail: this.detail,
      code: this.code,
      instance: `urn:uuid:${requestId}`,
    };
  }
}
