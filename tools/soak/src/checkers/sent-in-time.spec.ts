import { History } from './history.fixture.ts';
import { type Appointment, sentInTime } from './sent-in-time.ts';

const NOON = Date.parse('2026-03-04T12:00:00Z');
const MINUTE_MS = 60_000;
const at = (minutes: number): number => NOON + minutes * MINUTE_MS;
const appointment = (change: Partial<Appointment> = {}): Appointment => ({
  dispatchId: 'd1',
  dueAtMs: NOON,
  hoursAhead: 0,
  hours: { from: 8, to: 21 },
  ...change,
});

describe('a message with an appointment', () => {
  const found = (one: Appointment, calledAtMs: number | undefined, lostAfterMs = at(60)): string[] => {
    const history = new History();
    if (calledAtMs !== undefined) history.call('d1', 'a1', { receivedAtMs: calledAtMs });
    return sentInTime([one], history.calls, history.records, lostAfterMs).map(({ what }) => what);
  };
  const early = ["d1 left before its time or outside of the person's hours"];

  it('is fine at or after its time, within the hours', () => {
    expect(found(appointment(), NOON)).toEqual([]);
    expect(found(appointment(), NOON - 4_000)).toEqual([]);
    expect(found(appointment({ hoursAhead: -4 }), at(1))).toEqual([]);
    expect(found(appointment({ hoursAhead: 9 }), NOON - 2_000)).toEqual([]);
  });

  it('is early before its time', () => {
    expect(found(appointment(), at(-1))).toEqual(early);
  });

  it.each([-5, 9, 12])('is out of hours where it is noon %i hours off', (hoursAhead) => {
    expect(found(appointment({ hoursAhead }), at(1))).toEqual(early);
  });

  it('is lost when it was due and did not leave, unless the hours or the time keep it', () => {
    expect(found(appointment(), undefined)).toEqual(['d1 was due and did not leave']);
    expect(found(appointment({ dueAtMs: at(90) }), undefined)).toEqual([]);
    expect(found(appointment({ hoursAhead: -6 }), undefined)).toEqual([]);
  });

  it('is lost when it was refused', () => {
    const history = new History();
    history.record('dispatch.events', 'dispatch.refused.v1', { dispatchId: 'd1' });
    expect(sentInTime([appointment()], [], history.records, at(60)).map(({ what }) => what)).toEqual([
      'd1 was refused',
    ]);
  });
});
