/** What to do about an error of the Cloud API. `retryable` errors prove that the message was not accepted. */
export interface ErrorClass {
  readonly errorClass: string;
  readonly retryable: boolean;
}

const rows: readonly (readonly [codes: readonly number[], errorClass: string, retryable: boolean])[] = [
  [[131050], 'user-stopped-marketing', false],
  [[131049], 'platform-frequency-limit', false],
  [[130472], 'platform-experiment', false],
  [[131026], 'undeliverable', false],
  [[131047], 'outside-service-window', false],
  [[131056], 'pair-rate-limit', true],
  [[130429, 80007, 4], 'rate-limit', true],
  [[131048, 131064], 'sender-restricted', false],
  [[368, 131031, 130497], 'account-restricted', false],
  [[131042, 131037, 133010, 131045, 33], 'sender-not-usable', false],
  [[190, 0, 10, 131005, 3], 'not-authorised', false],
  [[131057], 'maintenance', true],
  [[131021, 131008, 131009, 100, 135000, 131051, 131053], 'bad-request', false],
  [[132000, 132005, 132007, 132012, 132001, 132008, 132018], 'template-unusable', false],
  [[132015, 132016], 'template-paused', false],
];

const BY_CODE: ReadonlyMap<number, ErrorClass> = new Map(
  rows.flatMap(([codes, errorClass, retryable]) =>
    codes.map((code): [number, ErrorClass] => [code, { errorClass, retryable }]),
  ),
);

/**
 * The class of a Cloud API error, keyed by `error.code` alone, never by titles or the HTTP status, which differ between
 * sources. Unknown codes, and those that may be said after the message was taken (1, 2, 131000, 131016), are not retried
 * by themselves. Source: WhatsApp Cloud API error codes, page of 2026-05-15.
 */
export function errorClassOf(code: number): ErrorClass {
  return BY_CODE.get(code) ?? { errorClass: 'unknown-error', retryable: false };
}
