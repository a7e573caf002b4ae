import { checkContent } from './check-content.ts';
import type { MessageContent } from './send-question.ts';
import { contentRule, fittingContent } from './send-question.fixture.ts';

const sender = contentRule();
const optOut = contentRule({ id: 'opt-out', requires: 'opt-out-hint' });
const label = contentRule({ id: 'label', requires: 'advertising-label', label: '(광고)' });

function faultsOf(changes: Partial<MessageContent>, ...rules: Parameters<typeof checkContent>[1]): string[] {
  return checkContent({ ...fittingContent, ...changes }, rules, 'own@1').faults.map(({ code }) => code);
}

describe('the content of a message', () => {
  it('that fits is told so by every rule', () => {
    expect(checkContent(fittingContent, [sender, optOut], 'own@1')).toMatchObject({
      faults: [],
      fits: [{ code: 'category-fits' }, { code: 'content-fits', ref: 'own@1#content' }, { ref: 'own@1#opt-out' }],
    });
  });

  it.each([
    ['marketing', 'marketing', []],
    ['utility', 'marketing', []],
    ['utility', 'utility', []],
    ['marketing', 'utility', ['category-exceeds-purpose']],
    ['marketing', 'service', ['category-exceeds-purpose']],
  ] as const)('of a %s template for a %s purpose', (templateCategory, purposeCategory, faults) => {
    expect(faultsOf({ templateCategory, purposeCategory })).toEqual(faults);
  });

  it.each([
    ['in the body', { body: 'Acme Tea has news' }, []],
    ['in the footer, in any case', { body: 'News', footer: 'ACME TEA' }, []],
    ['nowhere', { body: 'News', footer: 'Reply STOP' }, ['sender-not-named']],
    ['under no known name', { senderName: ' ' }, ['sender-not-named']],
  ])('names its sender %s', (_, changes, faults) => {
    expect(faultsOf(changes, sender)).toEqual(faults);
  });

  it.each([
    'Reply STOP to end',
    'Opt-out: acme.example',
    'Unsubscribe',
    'Abmelden mit STOPP',
    'Pour vous désinscrire, répondez ARRÊT',
    'Responde BAJA',
    'Para sair, responda SAIR',
    'Per disiscriverti rispondi ANNULLA',
    '무료수신거부',
    'للإلغاء أرسل إلغاء',
    'Từ chối: gửi TC',
  ])('tells how to end it: %s', (footer) => {
    expect(faultsOf({ footer }, optOut)).toEqual([]);
  });

  it('tells how to end it by a button for that, and by no other', () => {
    expect(faultsOf({ footer: '', buttons: [{ text: 'No more', optsOut: true }] }, optOut)).toEqual([]);
    expect(faultsOf({ footer: '', buttons: [{ text: 'Shop' }] }, optOut)).toEqual(['opt-out-hint-missing']);
    expect(faultsOf({ body: 'We never stopped caring', footer: '' }, optOut)).toEqual(['opt-out-hint-missing']);
  });

  it('begins with its label', () => {
    expect(faultsOf({ body: ' (광고) Acme Tea' }, label)).toEqual([]);
    expect(faultsOf({ body: 'Acme Tea (광고)' }, label)).toEqual(['advertising-label-missing']);
  });

  it.each([
    ['a body of 1,024', { body: 'ä'.repeat(1_024) }, []],
    ['a longer body', { body: 'ä'.repeat(1_025) }, ['text-too-long']],
    ['a long footer', { footer: 'x'.repeat(61) }, ['text-too-long']],
    ['a long button', { buttons: [{ text: 'x'.repeat(26) }] }, ['text-too-long']],
    ['a body of emoji', { body: '🫖'.repeat(1_024) }, []],
  ])('has a length that the platform takes: %s', (_, changes, faults) => {
    expect(faultsOf(changes)).toEqual(faults);
  });

  it.each([
    ['https://acme.example/a?u=http://x.example', []],
    ['http://acme.example/', ['link-not-https']],
    ['https://bit.ly/2x', ['link-shortened']],
    ['https://www.TinyURL.com/2x', ['link-shortened']],
    ['https://user@203.0.113.7/x', ['link-to-bare-address']],
    ['https://[2001:db8::1]/x', ['link-to-bare-address']],
    ['http://203.0.113.7:8080', ['link-not-https', 'link-to-bare-address']],
    ['https://bit.ly.example/', []],
  ])('links as it should: %s', (url, faults) => {
    expect(faultsOf({ body: `Acme Tea ${url} STOP` })).toEqual(faults);
    expect(faultsOf({ buttons: [{ text: 'Open', url }] })).toEqual(faults);
  });

  it('is advised on, and nothing more, when it shouts', () => {
    const found = checkContent({ ...fittingContent, body: 'BUY ACME TEA TODAY OR NEVER!!!' }, [], 'own@1');
    expect(found.faults).toEqual([]);
    expect(found.fits.map(({ code }) => code)).toEqual(['category-fits', 'wording-capitals', 'wording-exclamation']);
  });
});
