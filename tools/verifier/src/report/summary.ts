import type { VerifyProgress, VerifyResult } from '../verify-log/verify-audit-log.ts';

export type Paint = (colour: 'good' | 'bad' | 'loud', text: string) => string;

/** Colours are for terminals. */
export function painter(isTty: boolean): Paint {
  const codes = { good: '32', bad: '31', loud: '33;1' };
  return (colour, text) => (isTty ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text);
}

/** The line of a log that is done. */
export function logLine({ log, logLeaves, logFaults, logOpen }: VerifyProgress, paint: Paint): string {
  const mark = logFaults > 0 ? paint('bad', '✗') : logOpen > 0 ? paint('loud', '?') : paint('good', '✓');
  const faults = logFaults === 0 ? '' : paint('bad', `  ${counted(logFaults, 'fault')}`);
  const open = logOpen === 0 ? '' : paint('loud', `  ${logOpen} could not be judged`);
  return `${mark} ${log}  ${counted(logLeaves, 'leaf')}${faults}${open}\n`;
}

/** What the run found, for a terminal. */
export function summary(result: VerifyResult, tookMs: number, paint: Paint): string {
  const { checked, faults, faultsNotListed, unchecked, uncheckedNotListed, notes } = result;
  const lines = faults.map(({ code, where, text }) => `${paint('bad', 'fail')} ${code}  ${where}\n     ${text}`);
  if (faultsNotListed > 0) lines.push(`${paint('bad', 'fail')} and ${faultsNotListed} more faults like these`);
  lines.push(...unchecked.map(({ code, where, text }) => `${paint('loud', 'open')} ${code}  ${where}\n     ${text}`));
  if (uncheckedNotListed > 0) lines.push(`${paint('loud', 'open')} and ${uncheckedNotListed} more like these`);
  lines.push(...notes.map((note) => `note ${note}`));
  lines.push(
    '',
    `${checked.logs} logs, ${checked.leaves} leaves, ${checked.heads} heads, ${checked.entries} entries hashed anew, ${checked.tiles} tiles, ${checked.checkpoints} signed checkpoints, ${checked.cosignatures} cosignatures, ${checked.events} events${checked.unknownEvents === 0 ? '' : ` and ${checked.unknownEvents} of unknown types`}, ${checked.attempts} attempts; ${(checked.bytes / 1_000_000).toFixed(1)} MB in ${(tookMs / 1_000).toFixed(2)} s`,
    ...headLines(result),
    ...keyLines(result, paint),
    verdict(result, paint),
    '',
  );
  return lines.join('\n');
}

function verdict({ ok, faults, faultsNotListed }: VerifyResult, paint: Paint): string {
  if (ok) return paint('good', 'OK: no faults');
  if (faults.length > 0) return paint('bad', `FAILED: ${counted(faults.length + faultsNotListed, 'fault')}`);
  return paint('loud', 'OPEN: no faults, but not everything could be judged; a newer verifier may know more');
}

function headLines({ head, witnessed, seenBefore }: VerifyResult): string[] {
  const lines = head === undefined ? [] : [`head ${head.size} ${head.root}`];
  if (witnessed !== undefined) {
    const { size, quorum, witnesses } = witnessed;
    const names = witnesses.length === 0 ? 'no witness' : witnesses.join(', ');
    lines.push(
      size === undefined
        ? `witnesses: WITHOUT the quorum "${quorum}"; signed by ${names}`
        : `witnesses: the quorum "${quorum}" has seen the first ${size} heads (${names})`,
    );
  }
  if (seenBefore !== undefined) lines.push(`compared with what was seen on ${seenBefore}`);
  return lines;
}

function keyLines({ key }: VerifyResult, paint: Paint): string[] {
  if (key === undefined) return [];
  const shown = key.fingerprints.map((fingerprint) => `key ${fingerprint}`);
  if (key.pinned) return [...shown, 'The signatures are by the key you gave.'];
  return [
    ...shown,
    paint('loud', 'This key comes from the log itself. Compare the fingerprint with one you got another way,'),
    paint('loud', 'or give it with --key: without that, the log is consistent, but it may be anybody’s.'),
  ];
}

/** `1 leaf`, `2 leaves` */
export function counted(count: number, noun: 'leaf' | 'fault'): string {
  const nouns = { leaf: 'leaves', fault: 'faults' };
  return `${count} ${count === 1 ? noun : nouns[noun]}`;
}
