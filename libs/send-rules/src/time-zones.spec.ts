import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';

import { DAY_MS, epochDayOf } from './calendar.ts';
import {
  assertTimeZoneData,
  isKnownZone,
  localTimeAt,
  offsetAt,
  TIME_ZONES_END_MS,
  type TimeZone,
  timeZoneOf,
  wallTimeToInstant,
  zoneNames,
} from './time-zones.ts';

const zone = (name: string): TimeZone => timeZoneOf(name)!;

/** Zones whose clocks changed by law after the tz data of a Node release: the first tz release that has it, and when. */
const NEWS: Readonly<Record<string, readonly [release: string, from: string]>> = {
  'America/Vancouver': ['2026b', '2026-11-01'],
  'America/Edmonton': ['2026c', '2026-11-01'],
  'Africa/Casablanca': ['2026c', '2026-09-20'],
  'Africa/El_Aaiun': ['2026c', '2026-09-20'],
  'America/Winnipeg': ['2026f', '2026-11-01'],
  'America/Inuvik': ['2026f', '2026-11-01'],
  'America/Havana': ['2026f', '2026-11-01'],
  // Clocks change at another hour of the same nights.
  'Europe/Chisinau': ['2026f', '2022-03-27'],
};
const RUNTIME_RELEASE = process.versions['tz'] ?? '';

describe('the time zone table', () => {
  it('has the offsets of the runtime’s ICU from 2020 to 2035, in every zone, but for laws that ICU is too old to know', () => {
    const from = Date.UTC(2020, 0, 1);
    const to = Date.UTC(2036, 0, 1);
    const differing: Record<string, number> = {};
    let compared = 0;
    for (const name of zoneNames()) {
      const ours = zone(name);
      const icu = icuOffsets(name);
      const changes = [...ours.starts].filter((start) => start >= from && start < to);
      // No law has changed clocks twice within two weeks, so a change that we lack would show in one of these.
      const fortnights = Array.from({ length: 417 }, (_, index) => from + index * 14 * DAY_MS);
      for (const at of [...changes.flatMap((change) => [change - 1000, change]), ...fortnights]) {
        compared += 1;
        if (offsetAt(ours, at) !== icu(at)) differing[name] = Math.min(differing[name] ?? Infinity, at);
      }
    }
    const unexplained = Object.entries(differing).filter(([name, at]) => {
      const [release = '', begins = ''] = NEWS[name] ?? [];
      return release <= RUNTIME_RELEASE || at < Date.parse(begins) - 1000;
    });
    expect(unexplained).toEqual([]);
    expect(compared).toBeGreaterThan(140_000);
  });

  it('never has two changes of one zone within two days', () => {
    const gaps = zoneNames().flatMap((name) => {
      const { starts } = zone(name);
      return [...starts].slice(1).map((start, index) => start - (starts[index] ?? 0));
    });
    expect(Math.min(...gaps)).toBeGreaterThan(2 * DAY_MS);
  });

  it('ends far beyond any question', () => {
    expect(TIME_ZONES_END_MS).toBe(Date.parse('2051-01-01T00:00:00Z'));
  });

  it.each(['America/New_York', 'america/new_york', 'US/Eastern', 'UTC', 'Etc/GMT+5', 'Asia/Calcutta', 'Europe/Oslo'])(
    'knows %s',
    (name) => {
      expect(isKnownZone(name)).toBe(true);
    },
  );

  it.each(['Mars/Olympus', '+02:00', '', '2026-01-01', '__proto__', 'constructor'])('does not know %p', (name) => {
    expect(isKnownZone(name)).toBe(false);
  });

  it('is refused at the start when it is missing or old', () => {
    expect(() => {
      assertTimeZoneData();
    }).not.toThrow();
    expect(() => {
      assertTimeZoneData('2026b');
    }).toThrow(expect.objectContaining({ code: 'time-zone-data-old' }) as Error);
    expect(() => {
      assertTimeZoneData('2026f', 12);
    }).toThrow(expect.objectContaining({ code: 'time-zone-data-missing' }) as Error);
  });
});

describe('a local time', () => {
  it.each([
    ['America/Vancouver', '2026-12-01T20:30', '2026-12-02T03:30Z', 'British Columbia keeps -07:00'],
    ['America/New_York', '2026-12-01T20:30', '2026-12-02T01:30Z', 'plain'],
    ['Africa/Casablanca', '2026-12-01T09:00', '2026-12-01T09:00Z', 'Morocco keeps +00:00'],
    ['Australia/Lord_Howe', '2026-04-05T12:00', '2026-04-05T01:30Z', 'half an hour back'],
    ['Pacific/Apia', '2011-12-31T10:00', '2011-12-30T20:00Z', 'the day after the day that was left out'],
  ])('in %s, %s, is %s (%s)', (name, wallTime, instant) => {
    expect(readings(name, wallTime)).toEqual([Date.parse(instant), Date.parse(instant)]);
  });

  it.each([
    ['New York, 02:30 left out', 'America/New_York', '2026-03-08T02:30', '2026-03-08T06:30Z', '2026-03-08T07:30Z'],
    ['New York, 01:30 twice', 'America/New_York', '2026-11-01T01:30', '2026-11-01T05:30Z', '2026-11-01T06:30Z'],
    ['Cairo, midnight left out', 'Africa/Cairo', '2026-04-24T00:00', '2026-04-23T21:00Z', '2026-04-23T22:00Z'],
    ['Beirut, midnight left out', 'Asia/Beirut', '2026-03-29T00:00', '2026-03-28T21:00Z', '2026-03-28T22:00Z'],
    ['Santiago, midnight left out', 'America/Santiago', '2026-09-06T00:00', '2026-09-06T03:00Z', '2026-09-06T04:00Z'],
    ['Lord Howe, 01:45 twice', 'Australia/Lord_Howe', '2026-04-05T01:45', '2026-04-04T14:45Z', '2026-04-04T15:15Z'],
    ['Apia, a day left out', 'Pacific/Apia', '2011-12-30T10:00', '2011-12-29T20:00Z', '2011-12-30T20:00Z'],
  ])('has an earlier and a later reading: %s', (_, name, wallTime, earlier, later) => {
    expect(readings(name, wallTime)).toEqual([Date.parse(earlier), Date.parse(later)]);
  });

  it('is read as Temporal reads it, around changes of clocks and elsewhere', () => {
    const names = zoneNames().filter((name) => NEWS[name] === undefined);
    const zones = fc.constantFrom(...names);
    fc.assert(
      fc.property(zones, fc.nat(), fc.integer({ min: -1_500, max: 1_500 }), (name, pick, minutes) => {
        const changes = [...zone(name).starts].filter(
          (start) => start > Date.UTC(2010, 0) && start < Date.UTC(2036, 0),
        );
        const around = changes[pick % Math.max(1, changes.length)] ?? Date.UTC(2026, pick % 12, 1);
        const local = Math.floor((around + offsetAt(zone(name), around)) / 60_000) + minutes;
        const epochDay = Math.floor(local / 1_440);
        const minute = local - epochDay * 1_440;
        const plain = Temporal.PlainDateTime.from('1970-01-01').add({ minutes: local });
        for (const disambiguation of ['earlier', 'later'] as const) {
          const expected = plain.toZonedDateTime(name, { disambiguation }).epochMilliseconds;
          expect([name, disambiguation, wallTimeToInstant(zone(name), epochDay, minute, disambiguation)]).toEqual([
            name,
            disambiguation,
            expected,
          ]);
        }
      }),
      { numRuns: 200, seed: 6 },
    );
  });

  it('and the instant it names agree, wherever clocks do not change', () => {
    expect(localTimeAt(zone('Asia/Kathmandu'), Date.parse('2026-11-24T18:20:00Z'))).toEqual({
      epochDay: epochDayOf('2026-11-25'),
      minute: 5,
    });
  });
});

function readings(name: string, wallTime: string): number[] {
  const day = epochDayOf(wallTime.slice(0, 10))!;
  const minute = Number(wallTime.slice(11, 13)) * 60 + Number(wallTime.slice(14, 16));
  return (['earlier', 'later'] as const).map((which) => wallTimeToInstant(zone(name), day, minute, which));
}

function icuOffsets(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const [month = 0, day, year = 0, hour, minute, second] = (format.format(at).match(/\d+/g) ?? []).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second) - at;
  };
}
