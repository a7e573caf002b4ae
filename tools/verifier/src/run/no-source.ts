import { Findings } from '../findings/findings.ts';
import type { SourceError } from '../sources/source.ts';
import type { VerifyResult } from '../verify-log/verify-audit-log.ts';

/** The result for a source that is none. */
export function resultOf(source: string, error: SourceError): VerifyResult {
  const findings = new Findings();
  findings.fault('folder-unreadable', { log: error.path }, `it cannot be read as an audit log (${error.code})`);
  const { checked, faults } = findings;
  return {
    ok: false,
    source,
    origin: undefined,
    checked,
    faults,
    faultsNotListed: 0,
    unchecked: [],
    uncheckedNotListed: 0,
    notes: [],
    key: undefined,
    head: undefined,
    witnessed: undefined,
    seenBefore: undefined,
    remembered: false,
    notRemembered: undefined,
  };
}
