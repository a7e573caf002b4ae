import type { AnyEvent, EventType } from '@assent/contracts';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { BrokenLog } from '../written-log/broken-log.fixture.ts';
import { recordOf, uuid } from '../written-log/events.fixture.ts';
import { TestKey } from '../written-log/note-signing.fixture.ts';
import { FilesInMemory, WrittenLog } from '../written-log/written-log.fixture.ts';

const CONSENT = 'consent.events/0';
const DISPATCH = 'dispatch.events/0';
/** Persons whose keys belong to partition 0 of 2. */
const [ADA, BEN, CY] = [uuid(1), uuid(2), uuid(5)];
const PARTITIONS = { 'consent.events': 2, 'dispatch.events': 2, 'dispatch.requests': 2 };

const at = (minute: number): string => new Date(Date.parse('2026-11-24T09:30:00.000Z') + minute * 60_000).toISOString();

let numbered = 0;
/** A fact about a person, with an id of its own. */
function fact(type: EventType, subjectId: string, data: object): AnyEvent {
  numbered += 1;
  const example = exampleEvent(type);
  return {
    ...example,
    id: uuid(100 + numbered),
    partitionKey: subjectId,
    data: { ...example.data, subjectId, ...data },
  } as AnyEvent;
}

const grant = (who: string, minute: number): AnyEvent =>
  fact('consent.granted.v1', who, {
    grantId: uuid(1_000 + minute),
    requestedAt: at(minute),
    grantedAt: at(minute + 1),
  });
const stop = (who: string, minute: number): AnyEvent =>
  fact('consent.withdrawn.v1', who, {
    withdrawalId: uuid(2_000 + minute),
    occurredAt: at(minute),
    effectiveAt: at(minute),
  });
const accepted = (who: string, dispatch: number): AnyEvent =>
  fact('dispatch.accepted.v1', who, { dispatchId: uuid(3_000 + dispatch) });

/** An attempt whose gate had waited for the first `seen` records of consent.events/0, and its outcome. */
function sent(who: string, dispatch: number, seen: number): AnyEvent[] {
  const ids = { dispatchId: uuid(3_000 + dispatch), attemptId: uuid(4_000 + dispatch) };
  const { gate } = exampleEvent('dispatch.attempt-intended.v1').data;
  const intent = { ...ids, gate: { ...gate, positions: { [CONSENT]: seen } } };
  return [fact('dispatch.attempt-intended.v1', who, intent), fact('dispatch.attempt-sent.v1', who, ids)];
}

/** What happened: two people agreed, got a message each, one of them wrote STOP. */
function honestStory(log: WrittenLog, benAgreedAt: number): void {
  const append = (name: string, ...events: AnyEvent[]): void => {
    log.append(name, events.map(recordOf));
  };
  append(CONSENT, grant(ADA, 0), grant(BEN, benAgreedAt));
  append(
    'dispatch.requests/0',
    exampleEvent('dispatch.requested.v1', { id: uuid(11) }),
    exampleEvent('dispatch.requested.v1', { id: uuid(12) }),
  );
  append(DISPATCH, accepted(ADA, 1), ...sent(ADA, 1, 2), accepted(BEN, 2), ...sent(BEN, 2, 2));
  log.sign();
  append(CONSENT, stop(ADA, 10), fact('preferences.changed.v1', BEN, {}));
  log.sign();
}

/**
 * The sample log of docs/auditor.md, by path below examples/sample-audit-log: `clean` is as it should be; `kept-head` is
 * its head, as an auditor kept it; `tampered` is what an operator who cheats and a vandal made of it.
 */
export function sampleFiles(): Map<string, Uint8Array> {
  numbered = 0;
  const key = new TestKey(7);
  const origin = 'audit.example.com';
  const clean = new FilesInMemory();
  honestStory(new WrittenLog({ origin, sink: clean, key, partitions: PARTITIONS }), 2);
  const files = new Map<string, Uint8Array>();
  for (const [path, bytes] of clean.files) files.set(`clean/${path}`, bytes);
  files.set('kept-head', clean.files.get('heads/checkpoint') ?? Buffer.alloc(0));
  const tampered = new FilesInMemory();
  cheat(new WrittenLog({ origin, sink: tampered, key, partitions: PARTITIONS }));
  for (const [path, bytes] of vandalised(tampered.files)) files.set(`tampered/${path}`, bytes);
  return files;
}

/** What the operator did, and signed. */
function cheat(log: WrittenLog): void {
  // Ben is made to have agreed five minutes later: the history is another one, and consistent in itself.
  honestStory(log, 7);
  const append = (name: string, events: readonly AnyEvent[], gap = 0): void => {
    log.append(name, events.map(recordOf), gap);
  };
  // A message to Ada, whose STOP the gate had seen; and one to Ben that nobody decided.
  append(DISPATCH, [accepted(ADA, 3), ...sent(ADA, 3, 4), ...sent(BEN, 4, 4)]);
  // Ben's STOP was put into a partition that no gate reads for him.
  log.append('consent.events/1', [recordOf(stop(BEN, 15))]);
  // Cy's STOP, offset 4, was left out before it was hashed.
  append(CONSENT, [grant(CY, 20)], 1);
  log.sign();
}

/** What somebody did to the files afterwards. */
function vandalised(files: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
  const broken = new BrokenLog(files);
  broken.changeItems(`logs/${CONSENT}/tile/entries/000.p/5`, (entries) => {
    // Ben's preferences are made to say something else.
    const entry = Buffer.from(entries[3] ?? []);
    entry[entry.length - 20] = (entry[entry.length - 20] ?? 0) ^ 1;
    return entries.with(3, entry);
  });
  broken.write(`logs/${CONSENT}/tile/0/000.p/5.old`, broken.bytes(`logs/${CONSENT}/tile/0/000.p/5`));
  return broken.files;
}
