import { createHash } from 'node:crypto';
import { normalizePhone } from '@assent/identity';
import { Appender, type Clock, CLOCK, NEW_ID, type NewId, Problem, Public } from '@assent/service-runtime';
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiExcludeController } from '@nestjs/swagger';
import QRCode from 'qrcode';
import { Catalogue, type OpenCapturePoint } from '../catalogue/catalogue.ts';
import { qrText } from '../control-messages/opt-in-keyword.ts';
import { escapeHtml, html, type Html, page, PAGE_CSP, PAGE_TYPE } from '../pages/page.ts';
import {
  RecipientErased,
  RequestConsent,
  type RequestedConsent,
  shownLanguage,
} from '../request-consent/request-consent.command.ts';
import { Senders } from '../senders/sender.projection.ts';
import { OptInFormDto } from './show-opt-in-page.dto.ts';

@ApiExcludeController()
@Controller('optin')
@Public()
export class ShowOptInPageController {
  constructor(
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(Senders) private readonly senders: Senders,
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NEW_ID) private readonly newId: NewId,
  ) {}

  @Get(':capturePoint')
  @Header('content-type', PAGE_TYPE)
  @Header('content-security-policy', PAGE_CSP)
  async show(
    @Param('capturePoint') code: string,
    @Req() { query }: { query: Readonly<Record<string, unknown>> },
  ): Promise<string> {
    // Links on posters and in campaigns carry parameters of their own, so nothing else in the query is refused.
    const { lang: language } = query;
    return formPage(await this.open(code, 'form'), typeof language === 'string' ? language : undefined);
  }

  /** The answer is the same whether or not the address has withdrawn: a visitor learns nothing about a stranger. */
  @Post(':capturePoint')
  @HttpCode(200)
  @Header('content-type', PAGE_TYPE)
  @Header('content-security-policy', PAGE_CSP)
  async submit(@Param('capturePoint') code: string, @Body() form: OptInFormDto): Promise<string> {
    const point = await this.open(code, 'form');
    const language = shownLanguage(point, form.language);
    const fault = faultIn(form, point);
    if (fault !== undefined) return formPage(point, language, { form, fault });
    await this.request(point, form, language);
    return thanksPage(point, language);
  }

  /** A person who was erased is not asked, and the visitor is told the same as for anybody else. */
  private async request(point: OpenCapturePoint, form: OptInFormDto, language: string): Promise<void> {
    const timeZone = form.timeZone?.trim() ?? '';
    const command = new RequestConsent({
      tenant: point.tenant,
      recipients: [{ phone: normalizePhone(form.phone ?? '').e164 }],
      point,
      method: 'form',
      selfStarted: false,
      language,
      ...(timeZone === '' ? {} : { timeZone }),
      requestedAt: this.clock.now(),
      requestId: this.newId(),
      evidence: { ticked: true, shown: shownHash(point, language), language },
    });
    try {
      const { events }: RequestedConsent = await this.commands.execute(command);
      await this.appender.append(events);
    } catch (error) {
      if (!(error instanceof RecipientErased)) throw error;
    }
  }

  /** The link of the code opens WhatsApp with the keyword written; the person has to send it. */
  @Get(':capturePoint/qr.svg')
  @Header('content-type', 'image/svg+xml')
  @Header('content-security-policy', "default-src 'none'")
  async qr(@Param('capturePoint') code: string): Promise<string> {
    const { capturePoint } = await this.open(code, 'qr');
    const sender = await this.senders.find(capturePoint.senderId);
    if (sender?.businessNumber === undefined) throw noSuchPage();
    const link = `https://wa.me/${sender.businessNumber}?text=${encodeURIComponent(qrText(capturePoint))}`;
    const drawing = await QRCode.toString(link, { type: 'svg', errorCorrectionLevel: 'M', margin: 2 });
    // The drawing says in words what it opens, for people who can't scan it.
    return drawing.replace(/^(<svg[^>]*)>/, `$1 role="img"><title>${escapeHtml(link)}</title>`);
  }

  private async open(code: string, method: 'form' | 'qr'): Promise<OpenCapturePoint> {
    const point = await this.catalogue.capturePoint(code);
    if (point === undefined || !point.capturePoint.methods.includes(method)) throw noSuchPage();
    return point;
  }
}

function noSuchPage(): Problem {
  return new Problem({
    status: 404,
    code: 'capture-point-unknown',
    title: 'There is no such page',
    detail: 'Check the link. The capture point may not be published, or may not allow this way in.',
  });
}

interface Fault {
  readonly at: 'phone' | 'timeZone' | 'agree' | 'page';
  readonly text: string;
}

/** What is wrong with a form, in words for the person who filled it in. */
function faultIn(form: OptInFormDto, { notice }: OpenCapturePoint): Fault | undefined {
  // They ticked the box beside other words, so those are what they agreed to.
  if (form.noticeVersion !== undefined && form.noticeVersion !== String(notice.version)) {
    return { at: 'page', text: 'The text of this page has changed. Please read it again.' };
  }
  if (!normalizePhone(form.phone ?? '').possible) {
    return { at: 'phone', text: 'Please enter a phone number with its country code, such as +1 555 010 0123.' };
  }
  const timeZone = form.timeZone?.trim() ?? '';
  if (timeZone !== '' && !isTimeZone(timeZone)) {
    return { at: 'timeZone', text: 'Please enter a time zone such as America/New_York, or leave it empty.' };
  }
  if (form.agree !== 'yes') return { at: 'agree', text: 'Please tick the box if you agree.' };
  return undefined;
}

/** What a visitor typed is shown again, the box never ticked. */
function formPage(
  point: OpenCapturePoint,
  wanted: string | undefined,
  { form, fault }: { form?: OptInFormDto; fault?: Fault } = {},
): string {
  const { notice, capturePoint } = point;
  const language = shownLanguage(point, wanted);
  const text = notice.texts[language];
  if (text === undefined) throw noSuchPage();
  const complaint = fault === undefined ? html`` : html`<p class="error" role="alert" id="fault">${fault.text}</p>`;
  const marked = (at: Fault['at']): Html =>
    fault?.at === at ? html` aria-invalid="true" aria-describedby="fault"` : html``;
  const body = html`<h1>${text.title}</h1>
    <p>${text.body}</p>
    ${complaint}
    <form method="post" action="/optin/${capturePoint.publicCode}">
      <input type="hidden" name="language" value="${language}" />
      <input type="hidden" name="noticeVersion" value="${notice.version}" />
      <label
        ><span>Phone number with country code</span
        ><input
          type="tel"
          name="phone"
          autocomplete="tel"
          required
          maxlength="64"
          placeholder="+1 555 010 0123"
          value="${form?.phone ?? ''}"
          ${marked('phone')}
      /></label>
      <label
        ><span>Time zone (optional)</span
        ><input
          type="text"
          name="timeZone"
          maxlength="64"
          placeholder="America/New_York"
          value="${form?.timeZone ?? ''}"
          ${marked('timeZone')}
        /><span class="hint">So that we write to you at a good time of the day.</span></label
      >
      <label class="box"
        ><input type="checkbox" name="agree" value="yes" required ${marked('agree')} /><span
          >${text.checkbox}</span
        ></label
      >
      <button type="submit">Ask to join</button>
    </form>
    <small
      >${text.optOutHint}<br />${notice.controllerName} · Notice ${notice.noticeId}, version ${notice.version}</small
    >`;
  return page(fault === undefined ? text.title : `Please check: ${text.title}`, body, language);
}

function thanksPage({ notice }: OpenCapturePoint, language: string): string {
  const body: Html = html`<h1>Almost done</h1>
    <p>
      If this number can be asked, ${notice.controllerName} now sends it one message on WhatsApp. You are subscribed
      only once you confirm there.
    </p>`;
  return page('Almost done', body, language);
}

/** What was on the page, so that the evidence says exactly which words were agreed to. */
function shownHash({ notice }: OpenCapturePoint, language: string): string {
  return createHash('sha256')
    .update(JSON.stringify(notice.texts[language] ?? {}))
    .digest('hex');
}

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone.length > 0;
  } catch {
    return false;
  }
}
