import { FAULTS, printable, UNCHECKED } from '../findings/findings.ts';
import type { VerifyResult } from '../verify-log/verify-audit-log.ts';

/** Faults told one by one on the page; the JSON report has more. */
const TOLD_MAX = 100;

/** The result as a page of plain English (Markdown), for people who do not run programs. */
export function plainPage(result: VerifyResult, at: string): string {
  return [
    `# Verification of ${printable(result.origin ?? result.source)}`,
    '',
    `Done on ${at}, on ${result.source}.`,
    '',
    '## The answer',
    '',
    answer(result),
    '',
    '## Whose log it is',
    '',
    ...whose(result),
    '',
    '## What was looked at',
    '',
    ...lookedAt(result),
    '',
    ...wrong(result),
    ...open(result),
    ...notes(result),
    '## What this does not show',
    '',
    ...doesNotShow(result),
    '',
  ].join('\n');
}

function answer({ ok, faults, faultsNotListed }: VerifyResult): string {
  const count = faults.length + faultsNotListed;
  if (!ok && count === 0)
    return '**Nothing was found that is wrong, but not everything could be judged.** What was left open is named below; a newer verifier may know it.';
  if (ok)
    return '**Nothing is wrong.** Every record that was hashed is there, unchanged and in its place; nothing was added, taken away or moved.';
  return `**${count === 1 ? 'One thing is' : `${count} things are`} wrong.** The log in this state is not what was signed, or shows something that must not happen. Each is named below.`;
}

function whose({ key, head, witnessed, seenBefore, remembered }: VerifyResult): string[] {
  if (key === undefined) return ['It does not say whose it is, so nothing else could be verified.'];
  const prints = key.fingerprints.map((fingerprint) => `\`${fingerprint}\``).join(', then ');
  const lines = [
    key.pinned
      ? `It is signed by the key you named (${prints}).`
      : `It is signed by the key ${prints}, **which comes from the log itself**. Compare it with one that reached you another way: without that, the log is consistent, but it may be anybody’s.`,
  ];
  if (head !== undefined) {
    lines.push(
      '',
      `Its newest head binds all logs: number ${head.size}, root \`${head.root}\`. Write these two down. Whoever sees another root at that number sees another log than you do.`,
    );
  }
  if (witnessed !== undefined) {
    lines.push(
      '',
      witnessed.size === undefined
        ? `**The witnesses you trust have not seen it.** The quorum “${witnessed.quorum}” of your policy is not reached.`
        : `The witnesses you trust (${witnessed.witnesses.join(', ')}) have seen its first ${witnessed.size} heads, and nobody can have shown them others.`,
    );
  }
  const before =
    seenBefore === undefined
      ? 'Nothing is known of earlier verifications.'
      : `It was verified before, on ${seenBefore}, and was compared with what was seen then.`;
  const later = remembered
    ? 'What was seen is remembered, so a log that is rewound or rewritten later will be noticed.'
    : 'What was seen is not remembered.';
  lines.push('', `${before} ${later}`);
  return lines;
}

function lookedAt({ checked }: VerifyResult): string[] {
  return [
    `- ${checked.logs} logs with ${checked.leaves} records; the content of ${checked.entries} of them was hashed anew, of the others only hashes are kept.`,
    `- ${checked.checkpoints} signed checkpoints, ${checked.heads} heads bound by the newest of them, and ${checked.cosignatures} witnesses’ signatures.`,
    `- ${checked.tiles} tiles of hashes, each computed anew from the records.`,
    `- ${checked.events} events against their published schemas${checked.unknownEvents === 0 ? '' : `; ${checked.unknownEvents} are of types this program does not know`}.`,
    `- ${checked.attempts} attempts to send a message: whether each has its decision before it, was allowed, and the gate had not seen a STOP that covers it.`,
  ];
}

function wrong({ faults, faultsNotListed }: VerifyResult): string[] {
  if (faults.length === 0) return [];
  const told = faults
    .slice(0, TOLD_MAX)
    .map(({ code, where, text }) => `- **${where}**: ${FAULTS[code]}. (${code}: ${text}.)`);
  const more = faults.length + faultsNotListed - told.length;
  return ['## What is wrong', '', ...told, ...(more > 0 ? [`- and ${more} more.`] : []), ''];
}

function open({ unchecked, uncheckedNotListed }: VerifyResult): string[] {
  if (unchecked.length === 0) return [];
  const told = unchecked.map(({ code, where, text }) => `- **${where}**: ${UNCHECKED[code]}. (${code}: ${text}.)`);
  const more = uncheckedNotListed > 0 ? [`- and ${uncheckedNotListed} more like these.`] : [];
  return ['## What could not be judged', '', ...told, ...more, ''];
}

function notes({ notes: said }: VerifyResult): string[] {
  return said.length === 0 ? [] : ['## What you should know', '', ...said.map((note) => `- ${note}.`), ''];
}

function doesNotShow({ key, witnessed }: VerifyResult): string[] {
  return [
    '- That what was never written down did not happen.',
    '- What sealed fields say: they are verified as they stand, sealed.',
    ...(key?.pinned === false ? ['- Whose log it is, until the fingerprint was compared.'] : []),
    ...(witnessed?.size === undefined
      ? ['- That others are shown the same log, unless they compare heads, or witnesses that you trust have signed.']
      : []),
  ];
}
