import type { CapturePointPublished } from '@assent/contracts';
import { normaliseText } from './normalise-text.ts';

/** What stands behind the keyword in the prefilled text of a QR code, so that a scan is told from a typed keyword. */
export const QR_MARK = 'ref';

export interface OptInMatch {
  readonly capturePoint: CapturePointPublished;
  readonly method: 'keyword' | 'qr';
}

/** The text that a scanned QR code puts into the person's message box: they can read it, and must send it themselves. */
export function qrText({ keyword, publicCode }: CapturePointPublished): string {
  return `${keyword ?? ''} (${QR_MARK} ${publicCode})`;
}

/**
 * The capture point whose keyword the whole message is. Two capture points of one number with the same keyword are
 * ambiguous: then only a scanned code, which names its capture point, opts in.
 */
export function matchOptIn(text: string, capturePoints: readonly CapturePointPublished[]): OptInMatch | undefined {
  const normalised = normaliseText(text);
  if (normalised === undefined) return undefined;
  const scanned = capturePoints.find(
    (point) =>
      point.keyword !== undefined && point.methods.includes('qr') && normaliseText(qrText(point)) === normalised,
  );
  if (scanned !== undefined) return { capturePoint: scanned, method: 'qr' };
  const typed = capturePoints.filter(
    ({ keyword, methods }) =>
      keyword !== undefined && methods.includes('keyword') && normaliseText(keyword) === normalised,
  );
  const [only] = typed;
  return only !== undefined && typed.length === 1 ? { capturePoint: only, method: 'keyword' } : undefined;
}
