import { timingSafeEqual } from 'node:crypto';
import { DeterministicIdError, EventEncodeError, type NewRecord } from '@assent/contracts';
import type { EventLog } from '@assent/event-log';
import { Appender, EVENT_LOG, LOGGER, Problem, Public, RawJson, RUNTIME_CONFIG } from '@assent/service-runtime';
import { Controller, Get, Header, Headers, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SealError, SubjectKeysError } from '@assent/sealing';
import type { Logger } from 'pino';
import type { ConsentConfig } from '../config.ts';
import { InterpretUpdate } from './interpret-update.ts';
import { WebhookSignature } from './signature.ts';
import { updatesOf, type WebhookUpdate } from './webhook-updates.ts';

/** Source: WhatsApp, "Webhooks overview", 2025-12-02. */
const BODY_BYTES_MAX = 3 * 1024 * 1024;
/** Updates of one POST looked at together: enough to hide the store's round trips. */
const UPDATES_AT_ONCE = 32;
/** Records of one append, far below what the log's queue holds: no POST is too large to be taken. */
const RECORDS_AT_ONCE = 1_000;

/** The facts of one update, ready for the log. */
interface EncodedUpdate {
  readonly withdrawals: readonly NewRecord[];
  readonly others: readonly NewRecord[];
}

@ApiExcludeController()
@Controller('webhooks/whatsapp')
export class ReceiveWhatsappWebhookController {
  private readonly signature: WebhookSignature;

  constructor(
    @Inject(RUNTIME_CONFIG) private readonly config: ConsentConfig,
    @Inject(InterpretUpdate) private readonly interpret: InterpretUpdate,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.signature = new WebhookSignature(config.WHATSAPP_APP_SECRET);
  }

  /** Source: WhatsApp, "Create a webhook endpoint", 2025-11-07. */
  @Get()
  @Public()
  @Header('content-type', 'text/plain; charset=utf-8')
  verify(@Req() { query }: { query: Readonly<Record<string, unknown>> }): string {
    const { 'hub.mode': mode, 'hub.verify_token': token, 'hub.challenge': challenge } = query;
    const isOurs = typeof token === 'string' && sameText(token, this.config.WHATSAPP_VERIFY_TOKEN);
    if (mode === 'subscribe' && typeof challenge === 'string' && isOurs) return challenge;
    throw new Problem({
      status: 403,
      code: 'verification-refused',
      title: 'The webhook can not be verified',
      detail: 'The verify token does not match WHATSAPP_VERIFY_TOKEN.',
    });
  }

  /**
   * 200 only after every fact is in the log, withdrawals first; 503 when that was not possible, and then WhatsApp sends
   * the POST again. A body with a good signature is never refused for its content.
   */
  @Post()
  @HttpCode(200)
  @Public()
  @RawJson({ limitBytes: BODY_BYTES_MAX })
  async receive(
    @Req() request: { rawBody?: Buffer },
    @Headers('x-hub-signature-256') signature: string | undefined,
  ): Promise<{ received: number }> {
    const body = request.rawBody ?? Buffer.alloc(0);
    if (!this.signature.matches(body, signature)) throw badSignature();
    const updates = readUpdates(body);
    try {
      await this.record(updates);
    } catch (error) {
      const { name, code } = error as { name?: unknown; code?: unknown };
      this.logger.warn({ error: name, code, updates: updates.length }, 'a webhook could not be recorded');
      throw notRecorded();
    }
    return { received: updates.length };
  }

  /** Appends what could be read, withdrawals first, and only then throws what went wrong with the rest. */
  private async record(updates: readonly WebhookUpdate[]): Promise<void> {
    const encoded: EncodedUpdate[] = [];
    let failure: { readonly error: unknown } | undefined;
    for (let at = 0; at < updates.length; at += UPDATES_AT_ONCE) {
      const some = await Promise.allSettled(updates.slice(at, at + UPDATES_AT_ONCE).map((update) => this.one(update)));
      for (const result of some) {
        if (result.status === 'fulfilled') encoded.push(result.value);
        else failure = { error: result.reason };
      }
      // A store that does not answer will not for the next ones either; waiting for each would outlast the caller.
      if (failure !== undefined && !(failure.error instanceof Problem)) break;
    }
    await this.append(
      encoded.flatMap(({ withdrawals }) => withdrawals),
      true,
    );
    await this.append(
      encoded.flatMap(({ others }) => others),
      false,
    );
    if (failure !== undefined) throw failure.error;
  }

  /** A fault of ours in reading one update must not lose its neighbours: it is kept in quarantine. */
  private async one(update: WebhookUpdate): Promise<EncodedUpdate> {
    try {
      const { withdrawals, others } = await this.interpret.execute(update);
      return { withdrawals: this.appender.encode(withdrawals), others: this.appender.encode(others) };
    } catch (error) {
      if (!isAboutTheUpdate(error)) throw error;
      this.logger.error({ kind: update.kind, error: error.name }, 'an update could not be understood and was kept');
      const senderId = 'senderId' in update ? update.senderId : undefined;
      const kept = await this.interpret.quarantine(update, 'not-understood', senderId);
      return { withdrawals: [], others: this.appender.encode([kept]) };
    }
  }

  private async append(records: readonly NewRecord[], urgent: boolean): Promise<void> {
    for (let at = 0; at < records.length; at += RECORDS_AT_ONCE) {
      await this.log.append(records.slice(at, at + RECORDS_AT_ONCE), { urgent });
    }
  }
}

/** Sending the update again would end the same way, so it is kept and taken; everything else may pass. */
function isAboutTheUpdate(error: unknown): error is Error {
  if (error instanceof Problem) return error.status < 500;
  if (error instanceof SubjectKeysError) return error.code === 'key-gone';
  return [EventEncodeError, DeterministicIdError, SealError, TypeError, RangeError].some(
    (kind) => error instanceof kind,
  );
}

function readUpdates(body: Buffer): WebhookUpdate[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    return [{ kind: 'odd', reason: 'malformed-json', raw: body.toString('base64') }];
  }
  return updatesOf(parsed);
}

function sameText(given: string, right: string): boolean {
  const a = Buffer.from(given, 'utf8');
  const b = Buffer.from(right, 'utf8');
  return a.length === b.length && timingSafeEqual(a, b);
}

function notRecorded(): Problem {
  return new Problem({
    status: 503,
    code: 'not-recorded',
    title: 'The updates could not be recorded',
    detail: 'Send them again; repeating them is harmless.',
    headers: { 'retry-after': '2' },
  });
}

function badSignature(): Problem {
  return new Problem({
    status: 401,
    code: 'bad-signature',
    title: 'The signature does not match',
    detail: 'X-Hub-Signature-256 is not the HMAC of this body under the app secret. Nothing was stored.',
  });
}
