import type { RecordedEvent } from '@assent/contracts';
import { type DispatchState, evolveDispatch } from './dispatch.state.ts';

const ids = { dispatchId: 'd', attemptId: 'a1', subjectId: 's' };
let offset = 0;

function event(type: string, data: object): RecordedEvent {
  offset += 1;
  const position = { topic: 'dispatch.events', partition: 0, offset };
  const time = '2026-11-24T12:00:00.000Z';
  return {
    id: `${type}-${offset}`,
    type,
    tenant: 'acme',
    time,
    recordedAt: time,
    data,
    position,
  } as unknown as RecordedEvent;
}

const accepted = (): RecordedEvent =>
  event('dispatch.accepted.v1', {
    ...ids,
    class: 'message',
    cause: { kind: 'request', id: 'r' },
    addressKey: 'local.key',
    category: 'marketing',
    senderId: '1',
    template: { name: 'offer', language: 'en' },
    schedule: { kind: 'now' },
    expiresAt: '2026-12-01T12:00:00.000Z',
    requestedBy: 'team',
  });
const planned = (): RecordedEvent =>
  event('dispatch.planned.v1', { ...ids, dueAt: '2026-11-24T12:00:00.000Z', reasons: [] });
const intended = (attemptId = 'a1'): RecordedEvent =>
  event('dispatch.attempt-intended.v1', { ...ids, attemptId, decidedAt: '2026-11-24T12:00:00.000Z' });
const sent = (): RecordedEvent => event('dispatch.attempt-sent.v1', { ...ids, messageId: 'm' });
const unknown = (): RecordedEvent =>
  event('dispatch.attempt-unknown.v1', { ...ids, reason: { code: 'outcome-unknown', text: '?' } });
const failed = (retryable: boolean): RecordedEvent =>
  event('dispatch.attempt-failed.v1', { ...ids, errorClass: 'rate-limit', retryable });
const abandoned = (attemptId: string): RecordedEvent =>
  event('dispatch.attempt-abandoned.v1', { ...ids, attemptId, reason: { code: 'claim-lost', text: '' } });
const refused = (): RecordedEvent =>
  event('dispatch.refused.v1', { ...ids, class: 'message', reasons: [{ code: 'withdrawn', text: '' }] });
const status = (name: string): RecordedEvent =>
  event('dispatch.status-recorded.v1', { ...ids, status: name, statusAt: '2026-11-24T12:00:01.000Z' });
const cancelled = (): RecordedEvent =>
  event('dispatch.cancelled.v1', { ...ids, reason: { code: 'withdrawn', text: '' }, cause: { kind: 'withdrawal' } });

function fold(...events: RecordedEvent[]): DispatchState | undefined {
  return events.reduce<DispatchState | undefined>((state, next) => evolveDispatch(state, next), undefined);
}

describe('a dispatch', () => {
  it('is delayed while a plan rests on a decision to hold, so that a change of its inputs finds it', () => {
    const delayed = event('dispatch.planned.v1', {
      ...ids,
      dueAt: '2026-11-25T12:00:00.000Z',
      reasons: [],
      gate: { verdict: 'hold' },
    });
    expect(fold(accepted(), planned())).not.toHaveProperty('isDelayed');
    expect(fold(accepted(), delayed)).toMatchObject({ status: 'planned', isDelayed: true });
    for (const next of [planned(), intended(), refused(), cancelled()]) {
      expect(fold(accepted(), delayed, next)).not.toHaveProperty('isDelayed');
    }
  });

  it('goes from planned through an attempt to read', () => {
    expect(fold(accepted(), planned())?.status).toBe('planned');
    expect(fold(accepted(), planned(), intended())?.status).toBe('attempting');
    expect(fold(accepted(), planned(), intended(), sent(), status('delivered'), status('read'))?.status).toBe('read');
  });

  it('never goes back when statuses arrive late or twice', () => {
    const state = fold(
      accepted(),
      planned(),
      intended(),
      sent(),
      status('read'),
      status('delivered'),
      status('sent'),
      status('read'),
    );
    expect(state?.status).toBe('read');
  });

  it('keeps a status that arrives before the reply of the call', () => {
    expect(fold(accepted(), planned(), intended(), status('delivered'), sent())?.status).toBe('delivered');
  });

  it('is resolved from unknown by a status that carries its attempt', () => {
    expect(fold(accepted(), planned(), intended(), unknown())?.status).toBe('unknown');
    expect(fold(accepted(), planned(), intended(), unknown(), status('delivered'))?.status).toBe('delivered');
  });

  it('is planned again after a failure that proves nothing was taken, and final after another', () => {
    expect(fold(accepted(), planned(), intended(), failed(true))?.status).toBe('planned');
    expect(fold(accepted(), planned(), intended(), failed(false))?.status).toBe('failed');
  });

  it('can not be cancelled or planned while it may be at the provider', () => {
    expect(fold(accepted(), planned(), intended(), cancelled())?.status).toBe('attempting');
    expect(fold(accepted(), planned(), intended(), unknown(), planned())?.status).toBe('unknown');
    expect(fold(accepted(), planned(), intended(), sent(), planned())?.status).toBe('sent');
  });

  it('stays cancelled', () => {
    expect(fold(accepted(), planned(), cancelled(), planned())?.status).toBe('cancelled');
  });

  it('ignores a status of an attempt that is not its own', () => {
    expect(fold(accepted(), planned(), status('delivered'))?.status).toBe('planned');
  });

  it('takes a repeated acceptance for the same fact', () => {
    const state = fold(accepted(), planned(), intended(), sent(), accepted(), planned());
    expect(state).toMatchObject({ status: 'sent', attemptCount: 1 });
  });

  it('counts an attempt once, however often its intent stands in the log', () => {
    expect(fold(accepted(), planned(), intended(), intended())?.attemptCount).toBe(1);
  });

  it('is not planned again when an attempt comes to nothing beside one that may have called', () => {
    const two = [accepted(), planned(), intended('a2'), intended('a1')];
    expect(fold(...two, abandoned('a2'))?.status).toBe('attempting');
    expect(fold(...two, unknown(), abandoned('a2'))?.status).toBe('unknown');
    expect(fold(accepted(), planned(), intended(), unknown(), intended('a2'), abandoned('a2'))?.status).toBe('unknown');
    expect(fold(accepted(), planned(), intended(), failed(false), intended('a2'), abandoned('a2'))?.status).toBe(
      'failed',
    );
  });

  it('stays refused when an owner that was replaced writes its intent late', () => {
    expect(fold(accepted(), planned(), refused(), intended())?.status).toBe('refused');
    expect(fold(accepted(), planned(), refused(), intended(), abandoned('a1'))?.status).toBe('refused');
  });

  it('stays failed when WhatsApp told so before the reply of the call was written down', () => {
    expect(fold(accepted(), planned(), intended(), status('failed'), sent())?.status).toBe('failed');
  });

  it('keeps the trail of the events that changed it', () => {
    expect(fold(accepted(), planned())?.trail.map(({ type }) => type)).toEqual([
      'dispatch.accepted.v1',
      'dispatch.planned.v1',
    ]);
  });
});
