import 'reflect-metadata';
import { type AnyEvent, encodeEvent } from '@assent/contracts';
import { exampleEvent } from '@assent/contracts/fixtures';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { PublishCapturePointDto } from '../publish-capture-point/publish-capture-point.dto.ts';
import { PublishNoticeDto } from '../publish-notice/publish-notice.dto.ts';
import { PublishPurposeDto } from '../publish-purpose/publish-purpose.dto.ts';

const long = (length: number): string => 'x'.repeat(length);
const text = { language: 'en', title: long(120), body: long(4_000), checkbox: long(500), optOutHint: long(500) };
const notice = { noticeId: long(48), version: 1, purposeIds: ['news'], controllerName: long(120), texts: [text] };
const purpose = { purposeId: long(48), name: long(120), description: long(1_000), category: 'marketing' };
const point = {
  capturePointId: long(48),
  methods: ['keyword'],
  noticeId: 'news',
  senderId: '1'.repeat(20),
  keyword: long(32),
  language: 'en_US',
  confirmationTemplate: { name: 'confirm', language: 'en' },
};

function faults(dto: new () => object, body: object): string[] {
  const found = validateSync(plainToInstance(dto, body), { whitelist: true, forbidNonWhitelisted: true });
  return found.map(({ property }) => property);
}

describe('what a request may hold', () => {
  it('is what its event can hold', () => {
    expect(faults(PublishNoticeDto, notice)).toEqual([]);
    expect(faults(PublishPurposeDto, purpose)).toEqual([]);
    expect(faults(PublishCapturePointDto, point)).toEqual([]);
    const { language, ...words } = text;
    const events = [
      {
        ...exampleEvent('notice.published.v1'),
        partitionKey: notice.noticeId,
        data: { ...notice, texts: { [language]: words } },
      },
      { ...exampleEvent('purpose.published.v1'), partitionKey: purpose.purposeId, data: purpose },
      {
        ...exampleEvent('capture-point.published.v1'),
        partitionKey: point.capturePointId,
        data: { ...point, publicCode: `acme.${point.capturePointId}`, purposeIds: ['news'] },
      },
    ] as unknown as AnyEvent[];
    for (const event of events) expect(() => encodeEvent('consent.catalog', event)).not.toThrow();
  });

  it.each<[string, new () => object, object, string]>([
    ['a keyword', PublishCapturePointDto, { ...point, keyword: long(33) }, 'keyword'],
    ['a language', PublishCapturePointDto, { ...point, language: 'EN' }, 'language'],
    ['a sender', PublishCapturePointDto, { ...point, senderId: '1'.repeat(21) }, 'senderId'],
    ['a name', PublishNoticeDto, { ...notice, controllerName: long(121) }, 'controllerName'],
    ['a text', PublishNoticeDto, { ...notice, texts: [{ ...text, body: long(4_001) }] }, 'texts'],
  ])('is refused beyond: %s', (_, dto, body, property) => {
    expect(faults(dto, body)).toEqual([property]);
  });
});
