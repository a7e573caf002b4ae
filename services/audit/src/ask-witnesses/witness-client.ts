import {
  cosignatureVerifier,
  formatAddCheckpoint,
  type Hash,
  LogFormatError,
  type NoteSignature,
  type NoteVerifier,
  type PolicyWitness,
  readNote,
  readSignatures,
  verifiedSignatures,
} from '@assent/merkle-log';

/** A witness that answers later than this counts as silent, ms: it asks its disk, and the network is the open one. */
const ANSWER_MS_MAX = 5_000;
/** Bytes of an answer that are read: a few signature lines. */
const ANSWER_BYTES_MAX = 16_384;
const SIZE_TYPE = 'text/x.tlog.size';

/** The head a witness is asked to cosign. */
export interface HeadToWitness {
  readonly size: number;
  /** The checkpoint with the log's own signatures. */
  readonly note: string;
  /** Consistency proof from an earlier size, RFC 6962 section 2.1.2. */
  proofFrom(size: number): Promise<readonly Hash[]>;
  /** Size of the newest head in the store, whoever signed it. */
  newestSize(): Promise<number>;
}

/**
 * What came of asking. `split-view`: the witness has cosigned another tree under this log's name, or a later one that
 * this log no longer has. Everything else that is not a cosignature may be different the next time.
 */
export type WitnessOutcome =
  | { readonly kind: 'cosigned'; readonly signature: NoteSignature }
  | { readonly kind: 'split-view'; readonly detail: string }
  | { readonly kind: 'raced' | 'refused' | 'invalid-answer' | 'unreachable'; readonly detail: string };

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Asks one witness for cosignatures, as C2SP tlog-witness says. It remembers the size the witness cosigned last. */
export class WitnessClient {
  readonly name: string;
  private readonly url: string;
  private readonly verifier: NoteVerifier;
  private cosignedSize = 0;

  /** @throws Error when the policy gives no URL for the witness */
  constructor(
    { name, keyName, publicKey, url }: PolicyWitness,
    private readonly answerMsMax = ANSWER_MS_MAX,
  ) {
    if (url === undefined) throw new Error(`the policy gives no URL for the witness ${name}`);
    this.name = name;
    this.url = `${url.replace(/\/$/, '')}/add-checkpoint`;
    this.verifier = cosignatureVerifier(keyName, publicKey);
  }

  /** Asks for a cosignature. Never rejects for what a witness or the network does; does reject when a proof can't be read. */
  async ask(head: HeadToWitness): Promise<WitnessOutcome> {
    const oldSize = Math.min(this.cosignedSize, head.size);
    const answer = await this.post(head, oldSize);
    if ('kind' in answer || answer.status !== 409) return this.outcome(head, answer, oldSize);
    const witnessed = sizeOf(answer);
    if (witnessed === undefined) return { kind: 'invalid-answer', detail: 'a conflict without a size' };
    if (witnessed > head.size) return this.ahead(head, witnessed);
    if (witnessed === oldSize) return this.outcome(head, answer, oldSize);
    this.cosignedSize = witnessed;
    return this.outcome(head, await this.post(head, witnessed), witnessed);
  }

  /** The witness has seen more than was offered: a newer head of this log, if the log still has one of that size. */
  private async ahead(head: HeadToWitness, witnessed: number): Promise<WitnessOutcome> {
    if (witnessed <= (await head.newestSize())) return { kind: 'raced', detail: 'a newer head was cosigned meanwhile' };
    const detail = `it cosigned a head of ${witnessed} entries, and this log has ${head.size}`;
    return { kind: 'split-view', detail };
  }

  private outcome(head: HeadToWitness, answer: Answer | WitnessOutcome, oldSize: number): WitnessOutcome {
    if ('kind' in answer) return answer;
    if (answer.status === 200) return this.cosigned(head, answer.body);
    if (answer.status === 422) {
      return { kind: 'split-view', detail: `it remembers another head of ${oldSize} entries than this log has` };
    }
    if (answer.status !== 409) return { kind: 'refused', detail: `it answered ${answer.status}` };
    if (oldSize === head.size && sizeOf(answer) === head.size) {
      return { kind: 'split-view', detail: `it cosigned another head of ${head.size} entries` };
    }
    return { kind: 'raced', detail: 'it cosigned another head meanwhile' };
  }

  private cosigned(head: HeadToWitness, body: string): WitnessOutcome {
    try {
      const { text } = readNote(Buffer.from(head.note, 'utf8'));
      const [signature] = verifiedSignatures(text, readSignatures(body), [this.verifier]);
      if (signature === undefined)
        return { kind: 'invalid-answer', detail: 'no cosignature is by the key of the policy' };
      this.cosignedSize = head.size;
      return { kind: 'cosigned', signature };
    } catch (error) {
      if (error instanceof LogFormatError) return { kind: 'invalid-answer', detail: error.message };
      throw error;
    }
  }

  private async post(head: HeadToWitness, oldSize: number): Promise<Answer | WitnessOutcome> {
    const proof = oldSize === head.size ? [] : await head.proofFrom(oldSize);
    const body = formatAddCheckpoint({ oldSize, proof, checkpoint: head.note });
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(this.answerMsMax),
      });
      const type = response.headers.get('content-type') ?? '';
      return { status: response.status, type, body: await bodyOf(response) };
    } catch (error) {
      return { kind: 'unreachable', detail: error instanceof Error ? error.name : 'error' };
    }
  }
}

/** The body as text, refused when it is longer than an answer can be. */
async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new RangeError('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function sizeOf({ type, body }: Answer): number | undefined {
  if (type.split(';')[0]?.trim() !== SIZE_TYPE || !/^(0|[1-9]\d{0,15})\n$/.test(body)) return undefined;
  const size = Number(body);
  return Number.isSafeInteger(size) ? size : undefined;
}
