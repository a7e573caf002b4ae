import { DEMO_RULE_SET, evaluate } from '@assent/send-rules';
import { chooseZone, localTomorrow } from './choose-zone.ts';

const MINUTE_MS = 60_000;
/** As long as the demo may take, with room to spare. */
const DEMO_MS = 5 * MINUTE_MS;

function verdictAt(at: number): string {
  return evaluate({
    at,
    recipient: { declaredZone: chooseZone(at), phone: '+15550100123' },
    senderId: '100000000000001',
    class: 'message',
    category: 'marketing',
    attempts: [],
    holidays: [],
    blackouts: [],
    ruleSet: DEMO_RULE_SET,
  }).verdict;
}

describe('the zone of the demo', () => {
  it.each([
    ['a Sunday at noon', '2026-11-22T12:00:00Z'],
    ['a Sunday at midnight', '2026-11-22T00:00:00Z'],
    ['midnight in New York', '2026-11-24T05:00:00Z'],
    ['midnight in UTC', '2026-11-24T00:00:00Z'],
    ['New Year', '2026-12-31T23:59:59Z'],
    ['the hour that clocks leave out in New York', '2026-03-08T07:30:00Z'],
    ['the hour that clocks say twice in Berlin', '2026-10-25T01:30:00Z'],
  ])('lets the messages leave at %s', (_, instant) => {
    expect(verdictAt(Date.parse(instant))).toBe('allow');
    expect(verdictAt(Date.parse(instant) + DEMO_MS)).toBe('allow');
  });

  it('is one where it is between 10 and 18, at every minute of a winter and of a summer week', () => {
    const hours = new Set<number>();
    const clocks = new Map<string, Intl.DateTimeFormat>();
    const clockOf = (timeZone: string): Intl.DateTimeFormat => {
      const clock =
        clocks.get(timeZone) ?? new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', hourCycle: 'h23' });
      clocks.set(timeZone, clock);
      return clock;
    };
    for (const week of ['2026-01-05T00:00:00Z', '2026-07-06T00:00:00Z']) {
      for (let minute = 0; minute < 7 * 24 * 60; minute += 7) {
        const at = Date.parse(week) + minute * MINUTE_MS;
        hours.add(Number(clockOf(chooseZone(at)).format(at)));
      }
    }
    expect(Math.min(...hours)).toBe(10);
    expect(Math.max(...hours)).toBe(17);
  });
});

describe('the local tomorrow', () => {
  it.each([
    ['2026-11-24T23:30:00Z', 'Asia/Tokyo', '2026-11-26'],
    ['2026-11-24T23:30:00Z', 'America/New_York', '2026-11-25'],
    ['2026-12-31T12:00:00Z', 'Europe/Berlin', '2027-01-01'],
    ['2028-02-28T12:00:00Z', 'Europe/Berlin', '2028-02-29'],
  ])('of %s in %s is %s', (instant, zone, date) => {
    expect(localTomorrow(Date.parse(instant), zone)).toBe(date);
  });
});
