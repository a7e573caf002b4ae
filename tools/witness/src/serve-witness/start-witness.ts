import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  COSIGNATURE,
  cosignatureSigner,
  ed25519Verifier,
  formatVerifierKey,
  type NoteVerifier,
  parseVerifierKey,
  rawPublicKey,
} from '@assent/merkle-log';
import { CosignCheckpoint, type WitnessedLogs } from '../cosign-checkpoint/cosign-checkpoint.ts';
import { SeenCheckpoints } from '../seen-checkpoints/seen-checkpoints.ts';
import { witnessKey } from './witness-key.ts';

/** A proof of 63 hashes and a note with many signatures take less than half of it. */
const BODY_BYTES_MAX = 65_536;
/** Longest time for a request to arrive; a log sends a few kilobytes. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface WitnessSettings {
  /** Name of its key, such as `witness.example/w1`; a name that nobody else uses. */
  readonly name: string;
  /** Verifier key lines of the logs' own keys; several of one name while a key is being replaced. */
  readonly logs: readonly string[];
  /** Its key and what it has seen. Losing it makes the witness worthless: it would cosign an old tree again. */
  readonly folder: string;
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** POSIX seconds. */
  readonly nowS: () => number;
  /** One line for each answer: status, and the finding if there is one. */
  readonly log: (line: string) => void;
}

export interface RunningWitness {
  readonly url: string;
  /** What a policy names this witness by. */
  readonly verifierKey: string;
  stop(): Promise<void>;
}

/**
 * Starts a witness: `POST /add-checkpoint` as C2SP tlog-witness says, and `GET /` with its verifier key.
 * @throws LogFormatError `malformed-key` for a name or a key line that is none
 */
export async function startWitness(settings: WitnessSettings): Promise<RunningWitness> {
  mkdirSync(settings.folder, { recursive: true, mode: 0o700 });
  const key = witnessKey(join(settings.folder, 'witness-key.pem'));
  const verifierKey = formatVerifierKey(settings.name, rawPublicKey(key), COSIGNATURE);
  const cosign = new CosignCheckpoint({
    logs: logsOf(settings.logs),
    seen: new SeenCheckpoints(join(settings.folder, 'logs')),
    signer: cosignatureSigner(settings.name, key, settings.nowS),
  });
  const server = createServer((request, response) => {
    void answer(request, response, cosign, verifierKey, settings.log);
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port, settings.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://${settings.host}:${port}`, verifierKey, stop: () => stop(server) };
}

function logsOf(lines: readonly string[]): WitnessedLogs {
  const logs = new Map<string, NoteVerifier[]>();
  for (const line of lines) {
    const { name, publicKey } = parseVerifierKey(line);
    logs.set(name, [...(logs.get(name) ?? []), ed25519Verifier(name, publicKey)]);
  }
  return logs;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  cosign: CosignCheckpoint,
  verifierKey: string,
  log: WitnessSettings['log'],
): Promise<void> {
  const send = (status: number, contentType: string, body: string): void => {
    response.writeHead(status, { 'content-type': contentType }).end(body);
  };
  const plain = 'text/plain; charset=utf-8';
  try {
    if (request.method === 'GET' && request.url === '/') {
      send(200, plain, `${verifierKey}\n`);
      return;
    }
    if (request.method !== 'POST' || request.url !== '/add-checkpoint') {
      send(404, plain, 'There is POST /add-checkpoint and GET / here.\n');
      return;
    }
    const body = await bodyOf(request);
    if (body === undefined) {
      send(413, plain, `A request has at most ${BODY_BYTES_MAX} bytes.\n`);
      request.destroy();
      return;
    }
    const { status, contentType, body: text, finding } = await cosign.add(body);
    log(`add-checkpoint ${status}${finding === undefined ? '' : ` ${finding}: the note is kept as evidence`}`);
    send(status, contentType, text);
  } catch (error) {
    log(`add-checkpoint failed: ${error instanceof Error ? error.message : String(error)}`);
    // Nothing was cosigned unless it was written down before; the log asks again.
    if (!response.headersSent) send(503, plain, 'The witness cannot write down what it sees. Ask again later.\n');
  }
}

/** Undefined when it is too long. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeIdleConnections();
  });
}
