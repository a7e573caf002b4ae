import { InvalidEventError, type LogRecord } from '@assent/contracts';
import { TakeRequest } from './take-request.ts';

const utf8 = new TextEncoder();

function record(tenant: string | undefined): LogRecord {
  return {
    topic: 'dispatch.requests',
    partition: 2,
    offset: 7,
    timestampMs: Date.parse('2026-11-24T09:30:00.000Z'),
    key: null,
    headers: tenant === undefined ? [] : [{ name: 'ce_tenant', value: utf8.encode(tenant) }],
    value: utf8.encode('{"phone":"+12125550101"}'),
  };
}

const error = new InvalidEventError({ code: 'missing-header', pointer: '/ce_type' }, 'dispatch.requests/2@7');

describe('a record of dispatch.requests that is no request', () => {
  it('is refused to the tenant it names', () => {
    expect(TakeRequest.refuseUnreadable(record('acme'), error).tenant).toBe('acme');
  });

  it.each([[undefined], ['ACME'], ['../acme'], ['x'.repeat(33)]])(
    'is refused to nobody when the tenant is %s',
    (tenant) => {
      expect(TakeRequest.refuseUnreadable(record(tenant), error).tenant).toBe('unassigned');
    },
  );

  it('is refused once, with its position and without what it held', () => {
    const refusals = [record('acme'), record('acme')].map((one) => TakeRequest.refuseUnreadable(one, error));
    expect(refusals[0]).toEqual(refusals[1]);
    expect(refusals[0]).toMatchObject({
      data: { requestPosition: 'dispatch.requests/2@7', reasons: [{ code: 'request-unreadable' }] },
    });
    expect(JSON.stringify(refusals[0])).not.toContain('5550101');
  });
});
