/**
 * A platform team's program: asks for one message over HTTP and follows it until it is delivered, refused or planned for
 * later. Needs nothing but HTTP.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { phoneOf, readSettings } from './settings.ts';

/** What becomes of a message is looked at this often, and for so long. */
const POLL_MS = 250;
const FOLLOW_MS = 30_000;
/** Nothing more happens to it by itself. */
const ENDS = ['delivered', 'read', 'failed', 'refused', 'cancelled', 'unknown'];

interface Dispatch {
  readonly dispatchId: string;
  readonly status: string;
  readonly dueAt?: string;
  readonly reasons: readonly { readonly code: string; readonly text: string; readonly ref?: string }[];
}

const { dispatchUrl, token, senderId, purposeId, template, parameters } = readSettings(process.env);
const recipient = { phone: phoneOf(process.argv, 'ask-through-http') };
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

// With an Idempotency-Key the request may be repeated after a lost answer: the person still gets one message.
const asked = await fetch(`${dispatchUrl}/v1/dispatches`, {
  method: 'POST',
  headers: { ...headers, 'idempotency-key': randomUUID() },
  body: JSON.stringify({ recipient, senderId, purposeId, template, parameters }),
});
if (asked.status !== 202) {
  // Problems have a stable code (RFC 9457).
  const { code, detail } = (await asked.json()) as { code: string; detail: string };
  console.error(`not understood: ${code}. ${detail}`);
  process.exit(1);
}
const { position, ...accepted } = (await asked.json()) as Dispatch & { position: string };
tell(accepted);
process.exitCode = await follow(accepted, position);

/** Follows a dispatch; answers the exit code: 0 when it was, or will be, sent. */
async function follow(first: Dispatch, seen: string): Promise<number> {
  let current = first;
  const deadline = Date.now() + FOLLOW_MS;
  while (!ENDS.includes(current.status) && !isForLater(current) && Date.now() < deadline) {
    await pause(POLL_MS);
    // Assent-Min-Position: the answer knows our own request, or it waits until it does.
    const found = await fetch(`${dispatchUrl}/v1/dispatches/${first.dispatchId}`, {
      headers: { ...headers, 'assent-min-position': seen },
    });
    if (!found.ok) continue;
    const next = (await found.json()) as Dispatch;
    if (next.status !== current.status) tell(next);
    current = next;
  }
  return ['delivered', 'read', 'sent', 'planned'].includes(current.status) ? 0 : 1;
}

function isForLater({ status, dueAt }: Dispatch): boolean {
  return status === 'planned' && dueAt !== undefined && Date.parse(dueAt) > Date.now() + FOLLOW_MS;
}

function tell({ dispatchId, status, dueAt, reasons }: Dispatch): void {
  console.log(`${dispatchId} ${status}${dueAt === undefined ? '' : `, due ${dueAt}`}`);
  for (const { code, text, ref } of reasons) console.log(`  ${code}: ${text}${ref === undefined ? '' : ` (${ref})`}`);
}
