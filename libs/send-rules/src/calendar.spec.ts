import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { monthsAfter } from './calendar.ts';

describe('so many months after an instant', () => {
  it('is what Temporal says in UTC', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.parse('2099-12-31T00:00:00Z') }), fc.nat(120), (at, months) => {
        const zoned = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO('UTC').add({ months });
        expect(monthsAfter(at, months)).toBe(zoned.epochMilliseconds);
      }),
    );
  });
});
