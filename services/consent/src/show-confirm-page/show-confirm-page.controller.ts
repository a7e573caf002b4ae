import type { AnyEvent } from '@assent/contracts';
import { Appender, type Clock, CLOCK, Public } from '@assent/service-runtime';
import { Controller, Get, Header, Headers, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiExcludeController } from '@nestjs/swagger';
import { Catalogue } from '../catalogue/catalogue.ts';
import { catalogueBehind, ConfirmConsent, isExpired } from '../confirm-consent/confirm-consent.command.ts';
import { ConfirmationTokens } from '../confirmation-token/confirmation-token.ts';
import { preferredLanguage } from '../pages/preferred-language.ts';
import { html, page, PAGE_CSP, PAGE_TYPE, type PageReply } from '../pages/page.ts';

/** The link in the double-opt-in question. Looking at it confirms nothing: link previews look, too. */
@ApiExcludeController()
@Controller('confirm')
@Public()
export class ShowConfirmPageController {
  constructor(
    @Inject(ConfirmationTokens) private readonly tokens: ConfirmationTokens,
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get(':token')
  @Header('content-type', PAGE_TYPE)
  @Header('content-security-policy', PAGE_CSP)
  async show(
    @Param('token') token: string,
    @Headers('accept-language') accepted: string | undefined,
    @Res({ passthrough: true }) reply: PageReply,
  ): Promise<string> {
    const confirmation = this.tokens.readLinkToken(token);
    if (confirmation === undefined) return invalidLink(reply);
    if (isExpired(confirmation, this.clock.now())) return expiredLink(reply);
    const { tenant, noticeId, noticeVersion } = confirmation;
    const notice = await this.catalogue.notice(tenant, noticeId, noticeVersion);
    if (notice === undefined) throw catalogueBehind();
    const language = preferredLanguage(Object.keys(notice.texts), accepted);
    const text = language === undefined ? undefined : notice.texts[language];
    if (text === undefined) throw catalogueBehind();
    const body = html`<h1>${text.title}</h1>
      <p>${text.body}</p>
      <p>${text.checkbox}</p>
      <form method="post" action="/confirm/${token}"><button type="submit">Yes, I agree</button></form>
      <small>${text.optOutHint}<br />${notice.controllerName}</small>`;
    return page(text.title, body, language);
  }

  @Post(':token')
  @HttpCode(200)
  @Header('content-type', PAGE_TYPE)
  @Header('content-security-policy', PAGE_CSP)
  async confirm(@Param('token') token: string, @Res({ passthrough: true }) reply: PageReply): Promise<string> {
    const confirmation = this.tokens.readLinkToken(token);
    if (confirmation === undefined) return invalidLink(reply);
    const now = this.clock.now();
    const events: AnyEvent[] = await this.commands.execute(
      new ConfirmConsent(confirmation, { kind: 'page' }, undefined, now),
    );
    if (events.length === 0) return expiredLink(reply);
    await this.appender.append(events);
    return page(
      'Confirmed',
      html`<h1>Thank you</h1>
        <p>You have confirmed. You can stop at any time: answer STOP to any message.</p>`,
    );
  }
}

function expiredLink(reply: PageReply): string {
  reply.status(410);
  return page(
    'Too late',
    html`<h1>This link has expired</h1>
      <p>Nothing was changed. Please ask to join again.</p>`,
  );
}

function invalidLink(reply: PageReply): string {
  reply.status(404);
  return page(
    'Link not valid',
    html`<h1>This link is not valid</h1>
      <p>Please use the link exactly as it was sent to you.</p>`,
  );
}
