import { isTopicName } from '@assent/contracts';
import { checkProof, type Explanation } from '../explain-dispatch/explanation.ts';
import { waitUntil } from '../start-platform/wait-until.ts';
import { bodyOf, check, present, type Step, WAIT_MS, type World } from './step.ts';

/** Asks why a message left and why another did not, and checks the proofs without trusting the service. */
export const explain: Step = {
  title: 'The auditor asks why, and gets positions and proofs',
  async run(world) {
    const fingerprint = await signedUpTo(world);
    world.known.keyFingerprint = fingerprint;
    const explained: { explanation: Explanation; verdict: string }[] = [];
    for (const [which, verdict] of [
      ['now', 'allow'],
      ['tomorrow', 'refuse'],
    ] as const) {
      const dispatchId = present(
        world.known.dispatches.get(which),
        `the message for ${which}`,
        'none, an earlier step did not hold',
      );
      const explanation = bodyOf<Explanation>(
        await world.client.call('audit', 'GET', `/v1/explanations/${dispatchId}`, { role: 'auditor' }),
        200,
      );
      const events = [...explanation.events, ...explanation.reliedOn];
      const proofs = events.map((event) => checkProof(event, explanation));
      check(
        proofs.length > 0 && proofs.every((proof) => proof === 'proven'),
        'a proof of every event',
        proofs.join(', ') || 'no event',
      );
      check(
        explanation.decision?.verdict === verdict,
        `the verdict ${verdict}`,
        explanation.decision?.verdict ?? 'none',
      );
      check(explanation.keyFingerprint === fingerprint, 'the key of /v1/logs', 'another key');
      explained.push({ explanation, verdict });
    }
    const details = explained.map(({ explanation: { dispatchId, events, reliedOn }, verdict }) => {
      const positions = [...events, ...reliedOn].map(({ position }) => position);
      return `${verdict} ${dispatchId}: ${positions.join(', ')}`;
    });
    const withdrawn = present(explained[1]?.explanation.decision?.reasons[0], 'a reason');
    return {
      says: `One left because its consent is on record and nothing forbade it; one did not: "${withdrawn.text}" Every event has an inclusion proof that leads to a signed root.`,
      events: [],
      details,
    };
  },
};

interface ShownLogs {
  readonly keyFingerprint: string;
  readonly logs: readonly { readonly name: string; readonly size: number }[];
}

/** Waits until every record of every logged topic is under a signed root; answers the fingerprint of the signing key. */
export async function signedUpTo(world: World): Promise<string> {
  await world.log.look();
  const ends = new Map(world.log.ends);
  let missing = '';
  const shown = await waitUntil(async () => {
    const logs = bodyOf<ShownLogs>(await world.client.call('audit', 'GET', '/v1/logs', { role: 'auditor' }), 200);
    const sizes = new Map(logs.logs.map(({ name, size }) => [name, size]));
    const behind = [...ends].filter(([name, end]) => isLogged(name) && (sizes.get(name) ?? 0) < end);
    missing = behind.map(([name]) => name).join(', ');
    return behind.length === 0 ? logs : undefined;
  }, WAIT_MS);
  return present(shown, 'a signed root over every record', `unsigned records in ${missing}`).keyFingerprint;
}

function isLogged(name: string): boolean {
  const topic = name.slice(0, name.lastIndexOf('/'));
  return isTopicName(topic) && topic !== 'audit.checkpoints';
}
