import type { Recipient } from '@assent/identity';
import type { ZoneEvidence } from '@assent/send-rules';

/** What an address tells about the time zone. A business-scoped user id begins with its country. */
export function zoneEvidenceOf(address: Recipient): ZoneEvidence {
  if ('phone' in address) return { e164: address.phone };
  if ('waId' in address) return { e164: address.waId };
  return 'bsuid' in address ? { bsuidCountry: address.bsuid.slice(0, 2) } : {};
}
