import { CommandError, EXIT } from '../command-error.ts';
import { PlatformClient } from '../platform-client/platform-client.ts';
import { LOCAL_URLS } from '../start-platform/platform-processes.ts';
import { type CheckedProof, checkProof, type Explanation, type ShownEvent } from './explanation.ts';

const USAGE = 'Usage: ./assent explain <dispatchId>';
const MARKS: Readonly<Record<CheckedProof, string>> = { proven: '✓', pending: '…', wrong: '✗' };

/** `./assent explain <dispatchId>`: why a message left or did not, with every proof checked here. 1 when one is wrong. */
export async function explainDispatch(argv: readonly string[]): Promise<number> {
  const [dispatchId, ...rest] = argv;
  if (dispatchId === undefined || rest.length > 0) throw new CommandError(USAGE, EXIT.usage);
  const client = new PlatformClient(LOCAL_URLS);
  const path = `/v1/explanations/${encodeURIComponent(dispatchId)}`;
  const answer = await client.call('audit', 'GET', path, { role: 'auditor' }).catch(() => undefined);
  if (answer === undefined)
    throw new CommandError('The audit service does not answer. ./assent up starts it.', EXIT.unavailable);
  if (answer.status !== 200) {
    const { title, detail } = answer.body as { title?: string; detail?: string };
    throw new CommandError(`${title ?? `HTTP ${answer.status}`}. ${detail ?? ''}`.trim());
  }
  const explanation = answer.body as Explanation;
  for (const line of explanationLines(explanation)) console.log(line);
  const all = [...explanation.events, ...explanation.reliedOn];
  return all.every((event) => checkProof(event, explanation) !== 'wrong') ? EXIT.ok : EXIT.failed;
}

/** Pure: an explanation in words. */
export function explanationLines(explanation: Explanation): string[] {
  const { dispatchId, decision, events, reliedOn, keyFingerprint } = explanation;
  const verdict =
    decision === undefined
      ? 'Nothing was decided yet.'
      : `The newest decision: ${decision.verdict}, at ${decision.at}.`;
  const reasons = (decision?.reasons ?? []).map(
    ({ code, text, ref }) => `  ${code}: ${text}${ref === undefined ? '' : ` (${ref})`}`,
  );
  return [
    `Dispatch ${dispatchId}. ${verdict}`,
    ...reasons,
    ...gateLines(decision?.gate),
    '',
    'What happened:',
    ...events.flatMap((event) => eventLines(event, explanation)),
    ...(reliedOn.length === 0
      ? []
      : ['', 'What it rested on:', ...reliedOn.flatMap((event) => eventLines(event, explanation))]),
    '',
    '✓ the proof was checked here and leads to a signed root; … not signed yet; ✗ the proof is wrong.',
    `Key ${keyFingerprint}: compare it with one you got another way.`,
  ];
}

function gateLines(gate: NonNullable<Explanation['decision']>['gate']): string[] {
  if (gate === undefined) return [];
  const { ruleSet, tzdb, phoneMetadata, zones, positions, noticeId, noticeVersion, consentPosition } = gate;
  const consent = consentPosition === undefined ? [] : [`consent ${consentPosition}`];
  const notice = noticeId === undefined ? [] : [`notice ${noticeId} version ${noticeVersion ?? '?'}`];
  const inputs = [...consent, ...notice, `rules ${ruleSet}`, `zones ${zones.join(', ')}`, `tz database ${tzdb}`];
  return [
    `  decided with ${inputs.join('; ')}; phone metadata ${phoneMetadata}`,
    `  having waited for ${Object.entries(positions)
      .map(([log, next]) => `${log} up to ${next}`)
      .join(', ')}`,
  ];
}

function eventLines(event: ShownEvent, explanation: Explanation): string[] {
  const { position, type = '', time = '', says = '' } = event;
  const line = `${MARKS[checkProof(event, explanation)]} ${position}  ${type}  ${time}`.trimEnd();
  return [`  ${line}`, ...(says === '' ? [] : [`      ${says}`])];
}
