import type { CapturePointPublished } from '@assent/contracts';
import { matchOptIn, qrText } from './opt-in-keyword.ts';
import { normaliseText } from './normalise-text.ts';
import { isStopMessage } from './stop-words.ts';

describe('a message that says stop', () => {
  it.each([
    'STOP',
    'stop',
    ' Stop. ',
    'Stop!!!',
    'ＳＴＯＰ',
    'S\u200eTOP'.replace('\u200e', ''),
    '\u200fSTOP\u200f',
    'stop 🛑',
    'stopppp',
    'Unsubscribe',
    'opt-out',
    'OPT OUT',
    'Arrêt',
    'ARRÊTER',
    'baja',
    'Abmelden',
    'Stop. Thank you',
    'please stop',
    'توقف',
    'बंद करो',
    'S.T.O.P.',
    'ST\u200bOP',
  ])('is one: %s', (text) => {
    expect(isStopMessage(text)).toBe(true);
  });

  it.each([
    'We have got to STOP this bill',
    'Schönes Wochenende',
    'no',
    'nein',
    'yes',
    'JOIN',
    'stop 12345',
    'बाद करो',
    'When does the bus stop here?',
    '',
    '🙂',
    'x'.repeat(5_000),
  ])('is none: %s', (text) => {
    expect(isStopMessage(text)).toBe(false);
  });
});

describe('a message that opts in', () => {
  const point = (change: Partial<CapturePointPublished> = {}): CapturePointPublished => ({
    capturePointId: 'web',
    publicCode: 'acme.web',
    methods: ['keyword', 'qr'],
    noticeId: 'news',
    purposeIds: ['news'],
    senderId: '1',
    keyword: 'JOIN News',
    language: 'en',
    confirmationTemplate: { name: 'confirm', language: 'en' },
    ...change,
  });

  it('is the whole keyword, in any case', () => {
    expect(matchOptIn('join NEWS!', [point()])).toMatchObject({ method: 'keyword' });
    expect(matchOptIn('please join news', [point()])).toBeUndefined();
  });

  it('is a scanned code when it carries the reference', () => {
    expect(matchOptIn(qrText(point()), [point()])).toMatchObject({ method: 'qr' });
  });

  it('is not taken by a capture point that does not allow it', () => {
    expect(matchOptIn('join news', [point({ methods: ['form'] })])).toBeUndefined();
    expect(matchOptIn(qrText(point()), [point({ methods: ['keyword'] })])).toBeUndefined();
  });

  it('is ambiguous when two capture points share the keyword, and a scan is not', () => {
    const other = point({ publicCode: 'acme.shop' });
    expect(matchOptIn('join news', [point(), other])).toBeUndefined();
    expect(matchOptIn(qrText(other), [point(), other])?.capturePoint.publicCode).toBe('acme.shop');
  });
});

describe('normalised text', () => {
  it('is the same for what looks the same', () => {
    expect(normaliseText('ＡＢＣ')).toBe(normaliseText('abc'));
    expect(normaliseText('Arrêt')).toBe('arret');
    expect(normaliseText('...')).toBeUndefined();
  });
});
