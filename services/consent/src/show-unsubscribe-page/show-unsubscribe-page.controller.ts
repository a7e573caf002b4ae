import { MILLISECOND_TICK_MS } from '@assent/consent-state';
import {
  Appender,
  type Caller,
  type Clock,
  CLOCK,
  CurrentCaller,
  NEW_ID,
  type NewId,
  Problem,
  Public,
  Roles,
  RUNTIME_CONFIG,
} from '@assent/service-runtime';
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiExcludeController, ApiOperation, ApiTags } from '@nestjs/swagger';
import { IsUUID } from 'class-validator';
import { AddressDirectory } from '../address-directory/address-directory.ts';
import type { ConsentConfig } from '../config.ts';
import { UnsubscribeTokens } from '../confirmation-token/confirmation-token.ts';
import { html, page, PAGE_CSP, PAGE_TYPE, type PageReply } from '../pages/page.ts';
import { WithdrawConsent, type WithdrawnConsent } from '../withdraw-consent/withdraw-consent.command.ts';

/** A link with which a person withdraws from everything; looking at it withdraws nothing, since previews look, too. */
@ApiExcludeController()
@Controller('unsubscribe')
@Public()
export class ShowUnsubscribePageController {
  constructor(
    @Inject(UnsubscribeTokens) private readonly tokens: UnsubscribeTokens,
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NEW_ID) private readonly newId: NewId,
  ) {}

  @Get(':token')
  @Header('content-type', PAGE_TYPE)
  @Header('content-security-policy', PAGE_CSP)
  show(@Param('token') token: string, @Res({ passthrough: true }) reply: PageReply): string {
    if (this.tokens.read(token) === undefined) return invalidLink(reply);
    const body = html`<h1>Stop all messages?</h1>
      <p>We will send you no more messages on WhatsApp. It takes effect as soon as you press the button.</p>
      <form method="post" action="/unsubscribe/${token}"><button type="submit">Stop all messages</button></form>`;
    return page('Stop all messages?', body);
  }

  @Post(':token')
  @HttpCode(200)
  @Header('content-type', PAGE_TYPE)
  @Header('content-security-policy', PAGE_CSP)
  async withdraw(@Param('token') token: string, @Res({ passthrough: true }) reply: PageReply): Promise<string> {
    const person = this.tokens.read(token);
    if (person === undefined) return invalidLink(reply);
    const { events }: WithdrawnConsent = await this.commands.execute(
      new WithdrawConsent({
        tenant: person.tenant,
        recipients: [{ subjectId: person.subjectId }],
        scope: { kind: 'all' },
        lane: 'person',
        method: 'page',
        occurredAt: this.clock.now(),
        tickMs: MILLISECOND_TICK_MS,
        source: ['page', this.newId()],
        receiptDue: false,
      }),
    );
    await this.appender.append(events, { urgent: true });
    return page(
      'Stopped',
      html`<h1>Done</h1>
        <p>We will send you no more messages on WhatsApp. If you change your mind, ask to join again yourself.</p>`,
    );
  }
}

export class UnsubscribeLinkDto {
  @IsUUID()
  subjectId!: string;
}

/** For teams that put a stop link into their messages. */
@ApiTags('withdrawals')
@ApiBearerAuth()
@Controller('v1/unsubscribe-links')
export class MakeUnsubscribeLinkController {
  constructor(
    @Inject(UnsubscribeTokens) private readonly tokens: UnsubscribeTokens,
    @Inject(AddressDirectory) private readonly directory: AddressDirectory,
    @Inject(RUNTIME_CONFIG) private readonly config: ConsentConfig,
  ) {}

  @Post()
  @HttpCode(200)
  @Roles('sender', 'capture', 'operator')
  @ApiOperation({ summary: 'A link with which one person stops all messages' })
  async make(@Body() dto: UnsubscribeLinkDto, @CurrentCaller() { tenant }: Caller): Promise<{ url: string }> {
    if (!(await this.directory.isOf(tenant, dto.subjectId))) {
      throw new Problem({
        status: 404,
        code: 'no-such-person',
        title: 'Nobody is known under this id',
        detail: 'Check the subjectId.',
      });
    }
    return {
      url: new URL(`/unsubscribe/${this.tokens.make(tenant, dto.subjectId)}`, this.config.PUBLIC_BASE_URL).href,
    };
  }
}

/** Not a 2xx: a program that presses the button must not take it for done. */
function invalidLink(reply: PageReply): string {
  reply.status(404);
  return page(
    'Link not valid',
    html`<h1>This link is not valid</h1>
      <p>Please use the link exactly as it was sent to you, or answer STOP.</p>`,
  );
}
