import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Checkpoint,
  cosignatureSigner,
  COSIGNATURE,
  EMPTY_ROOT,
  formatSignature,
  formatVerifierKey,
  type NoteVerifier,
  openNote,
  parseAddCheckpoint,
  parseCheckpoint,
  rawPublicKey,
  readNote,
  sameHash,
  verifyConsistency,
} from '@assent/merkle-log';

/** An answer that is not what the specification says. */
export interface Misbehaviour {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** A witness of C2SP tlog-witness, as strict as the specification lets it be. It knows one log. */
export class StrictWitness {
  readonly requests: { oldSize: number; size: number; proofHashes: number; status: number }[] = [];
  latest: Pick<Checkpoint, 'size' | 'root'> = { size: 0, root: EMPTY_ROOT };
  /** Answers this instead, when it is set; `'never'` leaves the request hanging. */
  misbehaviour: Misbehaviour | 'never' | undefined;
  /** Asked before the witness looks at a request. */
  before: () => Promise<void> = () => Promise.resolve();
  nowS = 1_795_512_601;
  private readonly privateKey = generateKeyPairSync('ed25519').privateKey;
  private server: Server | undefined;

  constructor(
    readonly name: string,
    private readonly origin: string,
    private readonly logKeys: readonly NoteVerifier[],
  ) {}

  async start(): Promise<this> {
    this.server = createServer((request, response) => {
      this.handle(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  get verifierKey(): string {
    return formatVerifierKey(this.name, rawPublicKey(this.privateKey), COSIGNATURE);
  }

  /** Its line of a policy, under the last part of its name. */
  get policyLine(): string {
    const { port } = this.server?.address() as AddressInfo;
    return `witness ${this.name.split('/')[1] ?? ''} ${this.verifierKey} http://127.0.0.1:${port}/prefix\n`;
  }

  /** A cosignature line over any text. */
  cosign(text: string): string {
    const signer = cosignatureSigner(this.name, this.privateKey, () => this.nowS);
    return formatSignature({ name: signer.name, keyId: signer.keyId, signature: signer.sign(Buffer.from(text)) });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    await this.before();
    if (this.misbehaviour === 'never') return;
    const { status, headers, body } =
      this.misbehaviour ??
      (request.method === 'POST' && request.url === '/prefix/add-checkpoint'
        ? this.addCheckpoint(Buffer.concat(chunks).toString('utf8'))
        : { status: 405, body: '' });
    response.writeHead(status, headers).end(body);
  }

  private addCheckpoint(text: string): Misbehaviour {
    const { oldSize, proof, checkpoint } = parseAddCheckpoint(text);
    const note = Buffer.from(checkpoint, 'utf8');
    const { origin, size, root } = parseCheckpoint(readNote(note).text);
    const answer = (status: number, body = '', headers: Record<string, string> = {}): Misbehaviour => {
      this.requests.push({ oldSize, size, proofHashes: proof.length, status });
      return { status, body, headers };
    };
    if (origin !== this.origin) return answer(404);
    try {
      openNote(note, this.logKeys);
    } catch {
      return answer(403);
    }
    if (oldSize > size || (oldSize === 0 && proof.length > 0)) return answer(400);
    const conflict = (): Misbehaviour => answer(409, `${this.latest.size}\n`, { 'content-type': 'text/x.tlog.size' });
    if (oldSize !== this.latest.size) return conflict();
    if (oldSize === size && !sameHash(root, this.latest.root)) return conflict();
    if (!verifyConsistency({ oldSize, oldRoot: this.latest.root, size, root, proof })) return answer(422);
    this.latest = { size, root };
    return answer(200, this.cosign(readNote(note).text));
  }
}
