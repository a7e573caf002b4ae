import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnyEvent, encodeEvent, formatPosition, type NewRecord, type Position, topicOf } from '@assent/contracts';
import {
  decodeLeaf,
  ed25519Verifier,
  encodeLeaf,
  leafHash,
  openCheckpoint,
  parseAddCheckpoint,
  parseCheckpoint,
  parseTlogProof,
  parseVerifierKey,
  readNote,
  TreeBuilder,
  verifyConsistency,
  verifyInclusion,
} from '@assent/merkle-log';
import { startTestService, startTestStack, type TestService, type TestStack, waitUntil } from '@assent/testing';
import { exampleEvent } from '../../../libs/contracts/src/examples.fixture.ts';
import { runVerify, verifyFolder } from '../../../tools/verifier/src/index.ts';
import type { ProofBundle } from './bundle-proofs/proof-bundle.ts';
import { verifiedRecords } from './bundle-proofs/verify-bundle.fixture.ts';
import type { Receipt } from './issue-receipts/issue-receipt.query.ts';
import { StrictWitness } from './ask-witnesses/strict-witness.fixture.ts';
import { makeSigningKeyCommand } from './rotate-key/make-signing-key.command.ts';
import { AuditModule } from './audit.module.ts';
import { AuditConfig } from './config.ts';
import type { Explanation } from './explain-dispatch/explain-dispatch.query.ts';
import type { ConsistencyAnswer, InclusionAnswer } from './prove-records/prove-records.query.ts';
import type { ShownLogs } from './show-logs/show-logs.query.ts';

const bytes = (base64: string): Uint8Array => Buffer.from(base64, 'base64');
const recordOf = (event: AnyEvent): NewRecord => encodeEvent(topicOf(event.type), event);
const accepted = exampleEvent('dispatch.accepted.v1');
const { dispatchId } = accepted.data;
const granted = exampleEvent('consent.granted.v1');

/** The grant, then a dispatch that relied on it. */
async function appendStory(stack: TestStack): Promise<{ grant: Position; dispatch: Position[] }> {
  const [grant] = await stack.log.append([recordOf(granted)]);
  const intended = exampleEvent('dispatch.attempt-intended.v1');
  const gate = {
    ...intended.data.gate,
    positions: { [`consent.events/${String(grant!.partition)}`]: grant!.offset + 1 },
    consentPosition: formatPosition(grant!),
  };
  const dispatch = await stack.log.append(
    [accepted, { ...intended, data: { ...intended.data, gate } }, exampleEvent('dispatch.attempt-sent.v1')].map(
      (event) => recordOf({ ...event, data: { ...event.data, dispatchId } } as AnyEvent),
    ),
  );
  return { grant: grant!, dispatch };
}

describe('the audit service on the local stack', () => {
  let stack: TestStack;
  let service: TestService;
  let folder: string;
  let grant: Position;
  let dispatch: Position[];

  const start = (env: Readonly<Record<string, string>> = {}): Promise<TestService> =>
    startTestService({
      stack,
      name: 'audit',
      configClass: AuditConfig,
      module: AuditModule,
      env: {
        AUDIT_DATA_DIR: join(folder, 'data'),
        AUDIT_SIGNING_KEY_FILE: join(folder, 'key.pem'),
        AUDIT_CHECKPOINT_INTERVAL_MS: '100',
        ...env,
      },
    });

  const get = async <T>(path: string, role: 'auditor' | 'admin' = 'auditor'): Promise<T> => {
    const answer = await service.request('GET', path, { role });
    expect({ path, status: answer.status }).toEqual({ path, status: 200 });
    return answer.body as T;
  };

  const failure = async (path: string, role?: 'auditor' | 'sender'): Promise<[number, unknown]> => {
    const { status, body } = await service.request('GET', path, role === undefined ? {} : { role });
    return [status, (body as { code?: unknown }).code];
  };

  const shownLog = async (name: string): Promise<ShownLogs['logs'][number]> => {
    const { logs } = await get<ShownLogs>('/v1/logs');
    return logs.find((log) => log.name === name)!;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assent-audit-int-'));
    stack = await startTestStack();
    service = await start();
    ({ grant, dispatch } = await appendStory(stack));
    await stack.log.append([
      recordOf(exampleEvent('purpose.published.v1')),
      recordOf(exampleEvent('dispatch.requested.v1')),
    ]);
    await service.caughtUp();
  }, 120_000);

  afterAll(async () => {
    await (service as TestService | undefined)?.stop();
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it('gives every log the root that anyone with the records can compute', async () => {
    const { logs } = await get<ShownLogs>('/v1/logs');
    expect(logs.map(({ name }) => name.split('/')[0]).sort()).toEqual(
      ['consent.catalog', 'consent.events', 'dispatch.events', 'dispatch.requests'].sort(),
    );
    for (const { name, size, root } of logs) {
      const [topic, partition] = name.split('/');
      const tree = new TreeBuilder();
      const records = await stack.records(topic as 'consent.events');
      for (const record of records)
        if (record.partition === Number(partition)) tree.append(leafHash(encodeLeaf(record)));
      expect({ name, size, root }).toEqual({
        name,
        size: tree.size,
        root: Buffer.from(tree.root()).toString('base64'),
      });
    }
  });

  it('proves that each record is in its log, and shows it to the controller whose record it is', async () => {
    for (const { topic, partition, offset } of [grant, ...dispatch]) {
      const path = `/v1/proofs/inclusion?topic=${topic}&partition=${String(partition)}&offset=${String(offset)}`;
      const answer = await get<InclusionAnswer>(path);
      const { name, publicKey } = parseVerifierKey(answer.verifierKey);
      const checkpoint = openCheckpoint(Buffer.from(answer.checkpoint), name, [ed25519Verifier(name, publicKey)]);
      const leaf = leafHash(bytes(answer.entry!));
      const proof = answer.proof.map(bytes);
      expect(verifyInclusion({ leaf, index: answer.index, size: checkpoint.size, root: checkpoint.root, proof })).toBe(
        true,
      );
      expect(decodeLeaf(bytes(answer.entry!))).toMatchObject({ topic, partition, offset });
    }
  });

  it('proves a record by its event’s id', async () => {
    const byId = await get<InclusionAnswer>(`/v1/proofs/inclusion?eventId=${granted.id}`);
    expect(byId).toMatchObject({ topic: grant.topic, partition: grant.partition, offset: grant.offset });
    expect(await failure('/v1/proofs/inclusion?eventId=00000000-0000-4000-8000-000000000000', 'auditor')).toEqual([
      404,
      'no-such-event',
    ]);
    expect(await failure('/v1/proofs/inclusion', 'auditor')).toEqual([400, 'invalid-request']);
  });

  it('proves many records in one file, each once, by position or event id', async () => {
    const records = [...dispatch, { eventId: granted.id }, { eventId: granted.id }];
    const answer = await service.request('POST', '/v1/proofs', { role: 'auditor', body: { records } });
    expect(answer.status).toBe(200);
    const bundle = answer.body as ProofBundle;
    expect(verifiedRecords(bundle).map((record) => formatPosition(record!))).toEqual(
      [grant, ...dispatch].map(formatPosition),
    );
    expect(bundle.records[0]).toMatchObject({ eventId: granted.id });
    const post = async (body: object): Promise<unknown> =>
      (await service.request('POST', '/v1/proofs', { role: 'auditor', body })).status;
    expect(await post({ records: [] })).toBe(400);
    expect(await post({ records: Array.from({ length: 257 }, () => grant) })).toBe(400);
    expect(await post({ records: [{ ...grant, offset: grant.offset + 1 }] })).toBe(404);
  });

  it('gives everything about a person, or a message, in one file', async () => {
    const ofMessage = await get<ProofBundle>(`/v1/proofs/dispatches/${dispatchId}`);
    expect(verifiedRecords(ofMessage).map((record) => formatPosition(record!))).toEqual(dispatch.map(formatPosition));
    expect(ofMessage).toMatchObject({ about: { dispatchId }, notShown: 0 });
    const { subjectId } = granted.data;
    const ofPerson = await get<ProofBundle>(`/v1/proofs/subjects/${subjectId}`);
    expect(verifiedRecords(ofPerson).map((record) => formatPosition(record!))).toContain(formatPosition(grant));
    expect(await failure('/v1/proofs/subjects/00000000-0000-4000-8000-000000000000', 'auditor')).toEqual([
      404,
      'no-such-subject',
    ]);
  });

  it('answers a consent with a receipt that the person can have verified', async () => {
    const receipt = await get<Receipt>(`/v1/receipts/${granted.id}`);
    expect(verifiedRecords(receipt)).toHaveLength(1);
    expect(receipt.receipt).toMatchObject({ type: 'consent.granted.v1', position: formatPosition(grant) });
    expect(receipt.receipt.says).toContain('Consent was given');
    const { keyFingerprint } = await get<ShownLogs>('/v1/logs');
    const file = join(folder, 'receipt.json');
    let said = '';
    const say = (text: string): void => {
      said += text;
    };
    const none = { isTty: false, stateFolder: undefined, token: undefined, signal: undefined };
    const io = { ...none, stdout: say, stderr: say, monotonicMs: () => 0, now: () => new Date(0) };
    await writeFile(file, JSON.stringify(receipt));
    expect([await runVerify([file, '--key', keyFingerprint], io), said]).toEqual([
      0,
      expect.stringContaining(`consent.granted.v1, event ${granted.id}`),
    ]);
    await writeFile(
      file,
      JSON.stringify({ ...receipt, receipt: { ...receipt.receipt, type: 'consent.withdrawn.v1' } }),
    );
    expect(await runVerify([file, '--key', keyFingerprint], io)).toBe(1);
    expect(await failure(`/v1/receipts/${accepted.id}`, 'auditor')).toEqual([422, 'no-receipt']);
  });

  it('writes proofs as files: a record in its log, and the log in the head of all logs', async () => {
    const text = async (path: string): Promise<string> => {
      const answer = await fetch(`${service.url}${path}`, { headers: { authorization: 'Bearer local-auditor' } });
      expect({ path, status: answer.status }).toEqual({ path, status: 200 });
      return answer.text();
    };
    const record = parseTlogProof(await text(`/v1/proofs/inclusion.tlog-proof?eventId=${granted.id}`));
    const name = `assent.local/${grant.topic}/${String(grant.partition)}`;
    const { heads, keys } = await get<ShownLogs>('/v1/logs');
    const { publicKey } = parseVerifierKey(keys[0]!);
    const log = openCheckpoint(Buffer.from(record.checkpoint), name, [ed25519Verifier(name, publicKey)]);
    const leaf = leafHash(record.extra!);
    expect(verifyInclusion({ leaf, index: record.index, size: log.size, root: log.root, proof: record.proof })).toBe(
      true,
    );
    const where = `topic=${grant.topic}&partition=${String(grant.partition)}`;
    const binding = parseTlogProof(await text(`/v1/proofs/binding.tlog-proof?${where}&size=${String(log.size)}`));
    expect(parseCheckpoint(Buffer.from(binding.extra!).toString())).toMatchObject({
      ...log,
      extensions: [expect.stringMatching(/^at /), 'first-retained 0', 'partitions 12'],
    });
    const head = openCheckpoint(Buffer.from(binding.checkpoint), heads!.origin, [
      ed25519Verifier(heads!.origin, publicKey),
    ]);
    const bound = { leaf: leafHash(binding.extra!), index: binding.index, proof: binding.proof };
    expect(verifyInclusion({ ...bound, size: head.size, root: head.root })).toBe(true);
    const body = parseAddCheckpoint(await text(`/v1/proofs/consistency.txt?${where}&from=0`));
    expect(parseCheckpoint(readNote(Buffer.from(body.checkpoint)).text).size).toBe(log.size);
  });

  it('proves that a log only ever grew', async () => {
    const log = `topic=${dispatch[0]!.topic}&partition=${String(dispatch[0]!.partition)}`;
    const answer = await get<ConsistencyAnswer>(`/v1/proofs/consistency?${log}&from=1`);
    const [oldRoot, root] = [bytes(answer.fromRoot), bytes(answer.toRoot)];
    expect(answer.to).toBe(3);
    expect(verifyConsistency({ oldSize: 1, oldRoot, size: 3, root, proof: answer.proof.map(bytes) })).toBe(true);
    expect(await failure(`/v1/proofs/consistency?${log}&from=1&to=4`, 'auditor')).toEqual([404, 'not-yet-signed']);
    expect(await failure(`/v1/proofs/consistency?${log}&from=3&to=2`, 'auditor')).toEqual([422, 'sizes-swapped']);
  });

  it('explains a dispatch: events in order, the gate’s inputs, the consent it relied on, and a proof of each', async () => {
    const explanation = await get<Explanation>(`/v1/explanations/${dispatchId}`);
    expect(explanation.events.map(({ position, type }) => ({ position, type }))).toEqual([
      { position: formatPosition(dispatch[0]!), type: 'dispatch.accepted.v1' },
      { position: formatPosition(dispatch[1]!), type: 'dispatch.attempt-intended.v1' },
      { position: formatPosition(dispatch[2]!), type: 'dispatch.attempt-sent.v1' },
    ]);
    expect(explanation.decision).toMatchObject({ verdict: 'allow', gate: { consentPosition: formatPosition(grant) } });
    expect(explanation.reliedOn).toContainEqual(
      expect.objectContaining({ position: formatPosition(grant), type: 'consent.granted.v1', id: granted.id }),
    );
    const proven = [
      ...explanation.events,
      ...explanation.reliedOn.filter(({ position }) => position === formatPosition(grant)),
    ];
    for (const { position, proof } of proven) {
      if (proof.state !== 'proven') throw new Error(`${position} is not proven`);
      const { note, verifierKey } = explanation.checkpoints[position.split('@')[0]!]!;
      const { name, publicKey } = parseVerifierKey(verifierKey);
      const { size, root } = openCheckpoint(Buffer.from(note), name, [ed25519Verifier(name, publicKey)]);
      const path = proof.proof.map(bytes);
      expect(
        verifyInclusion({ leaf: leafHash(bytes(proof.entry!)), index: proof.index, size, root, proof: path }),
      ).toBe(true);
    }
    expect(JSON.stringify(explanation)).not.toContain('sealedParameters');
    expect(await failure('/v1/explanations/00000000-0000-4000-8000-000000000000', 'auditor')).toEqual([
      404,
      'no-such-dispatch',
    ]);
  });

  it('serves the logs as tlog-tiles', async () => {
    const prefix = `/logs/${dispatch[0]!.topic}/${String(dispatch[0]!.partition)}`;
    const fetchBytes = async (path: string): Promise<Buffer> => {
      const response = await fetch(`${service.url}${path}`, { headers: { authorization: 'Bearer local-auditor' } });
      expect({ path, status: response.status }).toEqual({ path, status: 200 });
      return Buffer.from(await response.arrayBuffer());
    };
    const checkpoint = (await fetchBytes(`${prefix}/checkpoint`)).toString();
    expect(checkpoint.split('\n').slice(0, 2)).toEqual([`assent.local/${prefix.slice('/logs/'.length)}`, '3']);
    const data = join(folder, 'data/public', prefix);
    expect(await fetchBytes(`${prefix}/tile/0/000.p/3`)).toEqual(await readFile(join(data, 'tile/0/000.p/3')));
    expect(await fetchBytes(`${prefix}/tile/entries/000.p/3`)).toEqual(
      await readFile(join(data, 'tile/entries/000.p/3')),
    );
    const narrower = await fetchBytes(`${prefix}/tile/0/000.p/2`);
    expect(narrower).toEqual((await readFile(join(data, 'tile/0/000.p/3'))).subarray(0, 64));
    expect((await fetchBytes('/heads/checkpoint')).toString()).toMatch(/^assent\.local\/heads\n/);
    expect(await fetchBytes(`${prefix}/offsets/000.p/3`)).toEqual(await readFile(join(data, 'offsets/000.p/3')));
    expect(await fetchBytes('/manifest.json')).toEqual(await readFile(join(folder, 'data/public/manifest.json')));
    expect(await failure('/heads/cosigned-checkpoint', 'auditor')).toEqual([404, 'no-such-tile']);
    expect(await failure('/witness-policy', 'auditor')).toEqual([404, 'no-such-file']);
    expect(await failure('/keys/00000000.note', 'auditor')).toEqual([404, 'no-such-file']);
    expect(await failure(`${prefix}/value/${'0'.repeat(64)}`, 'auditor')).toEqual([404, 'no-such-tile']);
    expect(await failure(`${prefix}/offsets/000.p/4`, 'auditor')).toEqual([404, 'no-such-tile']);
    expect(await failure(`${prefix}/tile/0/000.p/4`, 'auditor')).toEqual([404, 'no-such-tile']);
    expect(await failure(`${prefix}/tile/0/000`, 'auditor')).toEqual([404, 'no-such-tile']);
    expect(await failure(`${prefix}/tile/0/%2e%2e/000`, 'auditor')).toEqual([404, 'no-such-tile']);
    expect(await failure('/logs/audit.checkpoints/0/checkpoint', 'auditor')).toEqual([404, 'no-such-log']);
    expect(await failure('/logs/dispatch.events/99/checkpoint', 'auditor')).toEqual([404, 'no-such-log']);
  });

  it('is verified over HTTP by a program that shares nothing with it', async () => {
    let said = '';
    const io = {
      stdout: (text: string) => {
        said += text;
      },
      stderr: (text: string) => {
        said += text;
      },
      isTty: false,
      monotonicMs: () => performance.now(),
      now: () => new Date(),
      stateFolder: undefined,
      token: 'local-auditor',
      signal: undefined,
    };
    const { keyFingerprint } = await get<ShownLogs>('/v1/logs');
    const code = await runVerify([service.url, '--key', keyFingerprint], io);
    expect([code, said]).toEqual([0, expect.stringContaining('OK: no faults')]);
  });

  it('keeps only hashes of what platform teams wrote', async () => {
    const { logs } = await get<ShownLogs>('/v1/logs');
    const requests = logs.find(({ name }) => name.startsWith('dispatch.requests/'))!;
    expect(requests).toMatchObject({ size: 1, keepsEntries: false });
    expect(await failure(`/logs/${requests.name}/tile/entries/000.p/1`, 'auditor')).toEqual([404, 'no-such-tile']);
    const [topic, partition] = requests.name.split('/');
    const path = `/v1/proofs/inclusion?topic=${topic!}&partition=${partition!}&offset=0`;
    const answer = await get<InclusionAnswer>(path);
    expect(answer.entry).toBeUndefined();
    const [record] = await stack.records('dispatch.requests');
    expect(bytes(answer.leafHash)).toEqual(leafHash(encodeLeaf(record!)));
  });

  it('binds all logs in one signed head and appends it to audit.checkpoints', async () => {
    const { heads, logs } = await get<ShownLogs>('/v1/logs');
    await waitUntil('the head is in the topic', async () => {
      const events = await stack.events('audit.checkpoints');
      return events.some(
        (event) =>
          event.type === 'audit.checkpoint-signed.v1' && event.data.note.split('\n')[1] === String(heads!.size),
      );
    });
    const events = await stack.events('audit.checkpoints');
    const announced: Record<string, unknown> = {};
    for (const event of events)
      if (event.type === 'audit.checkpoint-signed.v1') Object.assign(announced, event.data.logs);
    expect(announced).toEqual(Object.fromEntries(logs.map(({ name, size, root }) => [name, { size, root }])));
    const { name, publicKey } = parseVerifierKey(heads!.verifierKey);
    const last = events.at(-1)!;
    if (last.type !== 'audit.checkpoint-signed.v1') throw new Error('another event');
    expect(openCheckpoint(Buffer.from(last.data.note), name, [ed25519Verifier(name, publicKey)]).size).toBe(
      heads!.size,
    );
  });

  it('is for auditors and admins', async () => {
    for (const path of ['/v1/logs', '/v1/explanations/x', '/logs/consent.events/0/checkpoint', '/heads/checkpoint']) {
      expect(await failure(path)).toEqual([401, 'unauthenticated']);
      expect(await failure(path, 'sender')).toEqual([403, 'forbidden']);
    }
    expect((await get<ShownLogs>('/v1/logs', 'admin')).origin).toBe('assent.local');
    expect(await failure('/v1/proofs/inclusion?topic=consent.events&partition=0&offset=1e3', 'auditor')).toEqual([
      400,
      'invalid-request',
    ]);
  });

  it('tells its leaves and the age of its checkpoints', async () => {
    const metrics = await service.request('GET', '/metrics');
    expect(metrics.body).toMatch(/^audit_leaves_total\{topic="dispatch.events".*\} 3$/m);
    expect(metrics.body).toMatch(/^audit_checkpoint_age_seconds\{.*\} 0(\.\d+)?$/m);
  });

  it('goes on after a restart as if it had never stopped, and its folder verifies with the service stopped', async () => {
    const name = `dispatch.events/${String(dispatch[0]!.partition)}`;
    const before = await shownLog(name);
    await service.stop();
    const [status] = await stack.log.append([
      recordOf(
        exampleEvent('dispatch.status-recorded.v1', {
          data: { ...exampleEvent('dispatch.status-recorded.v1').data, dispatchId },
        }),
      ),
    ]);
    service = await start();
    await service.caughtUp();
    const after = await shownLog(name);
    expect([before.size, after.size]).toEqual([3, 4]);
    expect(after.verifierKey).toBe(before.verifierKey);
    const explanation = await get<Explanation>(`/v1/explanations/${dispatchId}`);
    expect(explanation.events.at(-1)).toMatchObject({
      position: formatPosition(status!),
      proof: { state: 'proven', size: 4 },
    });
    const exported = await service.request('POST', '/v1/exports', { role: 'auditor' });
    expect(exported.status).toBe(201);
    const { folder: below, keyFingerprint } = exported.body as { folder: string; keyFingerprint: string };
    const result = await verifyFolder({ folder: join(folder, 'data', below), publicKey: keyFingerprint });
    expect([result.faults, result.unchecked]).toEqual([[], []]);
    expect(result.checked).toMatchObject({ leaves: expect.any(Number) as number, events: 6, attempts: 1 });
    await service.stop();
    expect((await verifyFolder({ folder: join(folder, 'data/public') })).faults).toEqual([]);
    service = await start();
  }, 60_000);

  it('has its heads witnessed while one key follows another, and verifies for whoever knows the old key', async () => {
    const before = await get<ShownLogs>('/v1/logs');
    expect(before.witnesses).toMatchObject({ quorum: 'none-asked', cosignedHeadsSize: 0, each: [] });
    await service.stop();
    const { name, publicKey } = parseVerifierKey(before.heads!.verifierKey);
    const witness = await new StrictWitness('witness.example/one', name, [ed25519Verifier(name, publicKey)]).start();
    try {
      const policy = join(folder, 'witness-policy');
      await writeFile(policy, `${witness.policyLine}quorum one\n`);
      const next = join(folder, 'next-key.pem');
      expect(await makeSigningKeyCommand([next])).toContain('AUDIT_NEXT_SIGNING_KEY_FILE');
      service = await start({
        AUDIT_NEXT_SIGNING_KEY_FILE: next,
        AUDIT_WITNESS_POLICY_FILE: policy,
        AUDIT_WITNESS_INTERVAL_MS: '100',
        AUDIT_ENTRY_RETENTION_DAYS: 'whatsapp.inbound=90',
      });
      await stack.log.append([recordOf(exampleEvent('purpose.published.v1'))]);
      await service.caughtUp();
      const shown = await waitUntil('the newest head has its quorum', async () => {
        const logs = await get<ShownLogs>('/v1/logs');
        return logs.witnesses.quorum === 'reached' ? logs : undefined;
      });
      expect(shown.witnesses).toMatchObject({ entriesNotCosigned: 0, each: [{ name: 'one', outcome: 'cosigned' }] });
      expect(shown.witnesses.cosignedHeadsSize).toBeGreaterThanOrEqual(shown.heads!.size);
      expect(shown.keys).toHaveLength(2);
      expect(shown.keys[0]).toBe(before.heads!.verifierKey);
      expect(shown.keyFingerprint).not.toBe(before.keyFingerprint);
      const bundle = await get<ProofBundle>(`/v1/receipts/${granted.id}`);
      expect(bundle.heads).toContain('— witness.example/one ');
      expect(verifiedRecords(bundle)).toHaveLength(1);
      const metrics = await service.request('GET', '/metrics');
      expect(metrics.body).toMatch(/^audit_cosigned_checkpoint_age_seconds\{.*\} 0(\.\d+)?$/m);
      expect(metrics.body).toMatch(/^audit_witness_answers_total\{witness="one",outcome="cosigned".*\} \d+$/m);
    } finally {
      await service.stop();
      await witness.stop();
    }
    const result = await verifyFolder({ folder: join(folder, 'data/public'), publicKey: before.keyFingerprint });
    expect(result.faults).toEqual([]);
    service = await start({ AUDIT_NEXT_SIGNING_KEY_FILE: join(folder, 'next-key.pem') });
  }, 60_000);
});
