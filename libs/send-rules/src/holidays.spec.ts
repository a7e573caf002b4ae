import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';

import { epochDayOf } from './calendar.ts';
import { holidayOn, HOLIDAYS_VERSION, libraryCalendar } from './holidays.ts';

const answer = (place: string, date: string, entries: Parameters<typeof holidayOn>[2] = []) =>
  holidayOn(place, epochDayOf(date)!, entries);

describe('a day', () => {
  it.each([
    ['US', '2026-11-26', 'Thanksgiving Day'],
    ['US-LA', '2026-02-17', 'Mardi Gras'],
    ['CA-ON', '2026-02-16', 'Family Day'],
    ['DE', '2026-10-03', 'Tag der Deutschen Einheit'],
    ['FR', '2026-07-14', 'Fête Nationale de la France'],
    ['GB', '2026-12-28', 'Boxing Day (substitute day)'],
    // Days of the Muslim calendar begin at sunset; the day itself is the holiday, and the feast has three.
    ['AE', '2026-03-20', 'عيد الفطر'],
    ['AE', '2026-03-22', 'عيد الفطر'],
  ])('in %s, %s, is %s', (place, date, holiday) => {
    expect(answer(place, date)).toEqual({ holiday });
  });

  it.each([
    ['US', '2026-02-17'],
    ['US-LA', '2026-02-18'],
    ['AE', '2026-03-19'],
    ['AE', '2026-03-23'],
    ['DE-ZZ', '2026-11-24'],
  ])('in %s, %s, is none', (place, date) => {
    expect(answer(place, date)).toBe('none');
  });

  it('in a country that the library lacks is unknown, until the operator has entered a day of that year', () => {
    expect(answer('AF', '2026-11-24')).toBe('unknown');
    const nawruz = { jurisdiction: 'AF', date: '2026-03-21', holiday: true, name: 'Nawruz' };
    expect(answer('AF', '2026-11-24', [nawruz])).toBe('none');
    expect(answer('AF', '2026-03-21', [nawruz])).toEqual({ holiday: 'Nawruz' });
    expect(answer('AF', '2027-11-24', [nawruz])).toBe('unknown');
  });

  it('is what the operator says, for a part before its country, and the last word counts', () => {
    const entry = { date: '2026-11-24', holiday: true, name: 'Storm' };
    expect(answer('US-LA', '2026-11-24', [{ ...entry, jurisdiction: 'US' }])).toEqual({ holiday: 'Storm' });
    expect(
      answer('US-LA', '2026-11-24', [
        { ...entry, jurisdiction: 'US-LA', holiday: false },
        { ...entry, jurisdiction: 'US' },
      ]),
    ).toBe('none');
    expect(
      answer('US-LA', '2026-11-24', [
        { ...entry, jurisdiction: 'US-LA', holiday: false },
        { ...entry, jurisdiction: 'US-LA' },
      ]),
    ).toEqual({ holiday: 'Storm' });
  });
});

describe('a calendar', () => {
  const places = ['US FL', 'DE ', 'AE ', 'IL ', 'JP ', 'IN ', 'NZ ', 'BR SP'].map((place) => place.split(' '));
  const all = (): unknown =>
    places.map(([country = '', part = '']) => [...(libraryCalendar(country, part, 2028) ?? [])]);

  it('does not depend on the time zone of the process', () => {
    const calendars = all();
    for (const zone of ['Pacific/Apia', 'America/Los_Angeles']) {
      runInThisContext(`process.env.TZ = ${JSON.stringify(zone)}`);
      expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(zone);
      expect(all()).toEqual(calendars);
    }
    runInThisContext("process.env.TZ = 'UTC'");
  });

  it('comes from the version of the library that decisions record', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(HOLIDAYS_VERSION).toBe(`date-holidays-${manifest.dependencies['date-holidays']}`);
  });
});
