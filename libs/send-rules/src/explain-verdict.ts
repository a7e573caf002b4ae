import { type HeldHours, hoursOfRule, minuteOf, type Weighing, widestHours } from './allowed-time.ts';
import { dateOf, weekdayIndexOf } from './calendar.ts';
import { capStanding, wishStanding } from './caps.ts';
import type { Interval } from './open-intervals.ts';
import { reason, ruleReason } from './reasons.ts';
import { WEEKDAYS } from './rule.ts';
import type { SendReason } from './send-question.ts';
import { localTimeAt, type TimeZone, timeZoneOf } from './time-zones.ts';

/** Every rule of hours that takes part at an instant, those that do not allow it first; then the person's quiet hours. */
export function explainHours(weighing: Weighing, at: number): readonly SendReason[] {
  const held = new Map<string, HeldHours>();
  for (const zone of weighing.zones) {
    for (const hours of weighing.rulesOn(localTimeAt(zone, at).epochDay).hours) {
      held.set(`${hours.rule.id}|${hours.place}`, hours);
    }
  }
  const reasons = [...held.values()].map((hours) => explainRule(weighing, hours, at));
  // Without a holiday of its place, a rule says the same for every place.
  const keyOf = ({ code, ref, params }: SendReason): string =>
    `${code}|${ref ?? ''}|${code === 'outside-on-holiday' || code === 'outside-calendar-unknown' ? String(params['place']) : ''}`;
  const told = [...new Map(reasons.map((one) => [keyOf(one), one])).values()];
  const outside = told.filter(({ code }) => code.startsWith('outside'));
  const outsideRefs = new Set(outside.map(({ ref }) => ref));
  const inside = told.filter(({ code, ref }) => !code.startsWith('outside') && !outsideRefs.has(ref));
  const quiet = explainQuietHours(weighing, at);
  return [
    ...outside,
    ...quiet.filter(({ code }) => code === 'quiet-hours'),
    ...inside,
    ...quiet.filter(({ code }) => code !== 'quiet-hours'),
  ];
}

/** Every cap that takes part at an instant, those without room first. */
export function explainCaps(weighing: Weighing, at: number): readonly SendReason[] {
  const { question, rules } = weighing;
  const days = new Set(weighing.zones.map((zone) => localTimeAt(zone, at).epochDay));
  const others = new Set([...days].flatMap((day) => weighing.rulesOn(day).others));
  const reasons = [...others].flatMap((rule) => {
    if (rule.kind !== 'cap') return [];
    const { count, freeFrom } = capStanding(rule, question, at);
    const params = { count, attemptsMax: rule.attemptsMax, windowHours: rule.windowHours };
    return [ruleReason(freeFrom > at ? 'cap-reached' : 'within-cap', rules.reference, rule, params)];
  });
  const frequency = question.wishes?.frequency;
  if (frequency !== undefined) {
    const { count, freeFrom } = wishStanding(frequency, question, at);
    const code = freeFrom > at ? 'wished-frequency-reached' : 'within-wished-frequency';
    reasons.push(reason(code, { count, ...frequency }));
  }
  return [...reasons].sort((a, b) => Number(b.code.endsWith('reached')) - Number(a.code.endsWith('reached')));
}

/** The first zone in which the rule's hours do not hold the instant tells why; else it allows. */
function explainRule(weighing: Weighing, held: HeldHours, at: number): SendReason {
  const { rule, place } = held;
  const { question, rules } = weighing;
  const inSlot = question.consent?.slots?.some(({ from, to }) => from <= at && at < to) === true;
  if (inSlot && rule.openedBy === 'slot') return ruleReason('opened-by-consent', rules.reference, rule);
  let opened = false;
  for (const zone of rule.zone === undefined ? weighing.zones : [timeZoneOf(rule.zone)]) {
    if (zone === undefined) continue;
    const { epochDay, minute } = localTimeAt(zone, at);
    const isIn = ({ from, to }: Interval): boolean => from <= minute && minute < to;
    // Outside on any day of that weekday: no calendar is needed to say so.
    if (!widestHours(held, epochDay).some(isIn) && rule.openedBy !== 'night') {
      return ruleReason('outside-send-window', rules.reference, rule, { ...localText(zone, at), place });
    }
    const hours = hoursOfRule(held, epochDay, question);
    opened ||= hours.opened;
    if (hours.windows.some(isIn)) continue;
    const params = { ...localText(zone, at), place };
    if (hours.holiday === 'unknown') return ruleReason('outside-calendar-unknown', rules.reference, rule, params);
    if (hours.holiday === 'none') return ruleReason('outside-send-window', rules.reference, rule, params);
    return ruleReason('outside-on-holiday', rules.reference, rule, { ...params, holiday: hours.holiday.holiday });
  }
  return ruleReason(opened ? 'opened-by-consent' : 'inside-send-window', rules.reference, rule);
}

function explainQuietHours(weighing: Weighing, at: number): readonly SendReason[] {
  const quietHours = weighing.question.wishes?.quietHours;
  if (quietHours === undefined) return [];
  const [from, to] = quietHours;
  const start = minuteOf(from);
  const end = minuteOf(to);
  const quiet = weighing.zones.find((zone) => {
    const { minute } = localTimeAt(zone, at);
    return start < end ? start <= minute && minute < end : minute >= start || minute < end;
  });
  return [
    quiet === undefined
      ? reason('outside-quiet-hours', {})
      : reason('quiet-hours', { from, to, ...localText(quiet, at) }),
  ];
}

function localText(zone: TimeZone, at: number): { time: string; weekday: string; date: string; zone: string } {
  const { epochDay, minute } = localTimeAt(zone, at);
  const twoDigits = (number: number): string => String(number).padStart(2, '0');
  return {
    time: `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`,
    weekday: WEEKDAYS[weekdayIndexOf(epochDay)] ?? '',
    date: dateOf(epochDay),
    zone: zone.name,
  };
}
