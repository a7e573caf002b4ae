import { DAY_MS, weekdayIndexOf } from './calendar.ts';
import { type HolidayAnswer, holidayOn } from './holidays.ts';
import type { Location } from './locate-recipient.ts';
import { intersection, type Interval, union } from './open-intervals.ts';
import { type LocalWindow, type Rule, type Weekday, WEEKDAYS, type WindowsRule } from './rule.ts';
import { daysOfChange, type Place, placesOf, type RulesInForce, rulesThatHold } from './rules-in-force.ts';
import type { SendQuestion } from './send-question.ts';
import { localTimeAt, offsetAt, type TimeZone, timeZoneOf, wallTimeToInstant } from './time-zones.ts';

/** A common window shorter than this is not used: a clock or a tz rule slightly off would leave nothing of it. */
export const COMMON_WINDOW_MIN_MS = 3_600_000;
const MINUTES_PER_DAY = 1_440;
const NONE: readonly LocalWindow[] = [];
const WHOLE_DAY: readonly Interval[] = [{ from: 0, to: MINUTES_PER_DAY }];

/** A rule of hours, and the place whose holidays it follows. */
export interface HeldHours {
  readonly rule: WindowsRule;
  readonly place: string;
}

/** Everything that holds for a question on one local day, in any of the places. */
export interface DayRules {
  readonly hours: readonly HeldHours[];
  readonly others: readonly Exclude<Rule, WindowsRule>[];
  /** A place for which the rule set has no hours at all. */
  readonly withoutHours?: string;
}

/** Which hours are meant. */
interface View {
  /** The zone whose clock the rules are told by; the person's own when undefined. */
  readonly clock?: string;
  /** Without the rules that a slot, agreed to, opens. */
  readonly slotsOpen: boolean;
  /** By the calendar; else the widest that a day of that weekday can have, which costs no calendar. */
  readonly holidays: boolean;
}

/** One question, with what it takes to answer it at any instant. */
export interface Weighing {
  readonly question: SendQuestion;
  readonly rules: RulesInForce;
  readonly places: readonly Place[];
  /** The candidate zones, each set of clock changes once. */
  readonly zones: readonly TimeZone[];
  /** The same, those farthest apart first: where two of them have no hours in common, no other is looked at. */
  readonly zonesFarthestFirst: readonly TimeZone[];
  readonly rulesOn: (epochDay: number) => DayRules;
  /** Hours that hold on a local day, in minutes of it. */
  readonly hoursOn: (epochDay: number, view: View) => readonly Interval[];
  /** Local days on which rules begin or end to apply. */
  readonly changes: readonly number[];
  readonly closed: Map<string, Interval>;
}

/** What does not depend on instants or zones: the same for every message of a kind to the same places. */
interface HeldRules {
  readonly places: readonly Place[];
  readonly changes: readonly number[];
  /** By the number of changes up to a day. */
  readonly rulesBySpan: Map<number, DayRules>;
  /** By zones and wishes: a range of instants in which no day can be open. A number that may be anywhere is asked about again and again, and 400 days take milliseconds. */
  readonly closed: Map<string, Interval>;
}

/** Sets of zones and wishes remembered for places of which some are never open. */
const CLOSED_MAX = 100;
/** Kinds of message and places remembered per rule set; about 3 kB each. */
const HELD_RULES_MAX = 1_000;
const remembered = new WeakMap<RulesInForce, Map<string, HeldRules>>();

function heldRules(question: SendQuestion, location: Location, rules: RulesInForce): HeldRules {
  const ofSet = remembered.get(rules) ?? new Map<string, HeldRules>();
  remembered.set(rules, ofSet);
  const { class: kind, category, purposeId } = question;
  const key = `${location.jurisdictions.join()}|${kind}|${category}|${purposeId ?? ''}`;
  const known = ofSet.get(key);
  if (known !== undefined) return known;
  const places = placesOf(location.jurisdictions, rules);
  const held = {
    places,
    changes: daysOfChange(rules, places),
    rulesBySpan: new Map<number, DayRules>(),
    closed: new Map<string, Interval>(),
  };
  if (ofSet.size >= HELD_RULES_MAX) ofSet.clear();
  ofSet.set(key, held);
  return held;
}

export function weigh(question: SendQuestion, location: Location, rules: RulesInForce): Weighing {
  const { places, changes, rulesBySpan, closed } = heldRules(question, location, rules);
  const zones = [...new Set(location.zones.map(timeZoneOf))].filter((zone) => zone !== undefined);
  const spanOf = (epochDay: number): number => {
    let span = 0;
    while (span < changes.length && (changes[span] ?? 0) <= epochDay) span += 1;
    return span;
  };
  const rulesOn = (epochDay: number): DayRules => {
    const span = spanOf(epochDay);
    const known = rulesBySpan.get(span) ?? dayRules(question, rules, places, epochDay);
    rulesBySpan.set(span, known);
    return known;
  };
  const hours = new Map<string, readonly Interval[]>();
  const hoursOn = (epochDay: number, view: View): readonly Interval[] => {
    // Without a calendar, every Monday between two changes of the rules is like the next.
    const day = view.holidays ? `${epochDay}` : `${WEEKDAYS[weekdayIndexOf(epochDay)] ?? ''} ${spanOf(epochDay)}`;
    const key = `${day}|${view.clock ?? ''}|${view.slotsOpen ? 1 : 0}`;
    const known = hours.get(key) ?? commonHours(question, rulesOn(epochDay), epochDay, view);
    hours.set(key, known);
    return known;
  };
  const zonesFarthestFirst = farthestFirst(zones, question.at);
  return { question, rules, places, zones, zonesFarthestFirst, rulesOn, hoursOn, changes, closed };
}

function farthestFirst(zones: readonly TimeZone[], at: number): readonly TimeZone[] {
  if (zones.length <= 2) return zones;
  const eastward = [...zones].sort((a, b) => offsetAt(a, at) - offsetAt(b, at));
  return [...eastward.slice(-1), ...eastward.slice(0, -1)];
}

/**
 * The stretches in [from, to) that every rule allows in every candidate zone, as far as hours go: sorted, apart from
 * each other and at least an hour long. Gaps and overlaps of a local clock only ever make them smaller. What the person
 * agreed to outside the hours (a slot) is among them; caps and blackouts are not looked at.
 */
export function openStretches(
  weighing: Weighing,
  range: Interval,
  lengthMinMs: number = COMMON_WINDOW_MIN_MS,
): readonly Interval[] {
  // A day more on both sides, so that a stretch that passes the edge is seen as long as it is.
  const wide = { from: range.from - DAY_MS, to: range.to + DAY_MS };
  // A calendar takes tens of milliseconds to make: none is asked for where no day can be open at all.
  const slots = union((weighing.question.consent?.slots ?? []).filter(({ from, to }) => from < to));
  const openTo = (view: View): readonly Interval[] => {
    const widest = widestIn(weighing, wide, { ...view, holidays: false });
    return widest.length === 0 || !asksForCalendars(weighing, wide) ? widest : common(weighing, wide, view);
  };
  const hours = openTo({ slotsOpen: false, holidays: true });
  const open =
    slots.length === 0 ? hours : union([...hours, ...intersection(openTo({ slotsOpen: true, holidays: true }), slots)]);
  return open.filter(({ from, to }) => to - from >= lengthMinMs && to > range.from && from < range.to);
}

/** What is open by the widest hours; where nothing is, that is remembered. */
function widestIn(weighing: Weighing, range: Interval, view: View): readonly Interval[] {
  const { question, zones, closed } = weighing;
  const wishes = `${question.wishes?.quietHours?.join() ?? ''}|${question.consent?.night === true ? 1 : 0}`;
  const key = `${zones.map(({ name }) => name).join()}|${wishes}|${view.slotsOpen ? 1 : 0}`;
  const known = closed.get(key);
  if (known !== undefined && known.from <= range.from && range.to <= known.to) return [];
  const open = common(weighing, range, view);
  if (open.length > 0) return open;
  const touches = known !== undefined && known.from <= range.to && range.from <= known.to;
  if (closed.size >= CLOSED_MAX) closed.clear();
  closed.set(key, touches ? { from: Math.min(known.from, range.from), to: Math.max(known.to, range.to) } : range);
  return open;
}

/** Whether a rule's hours, as they are on that local day, hold the minute; and what the day is. */
export function hoursOfRule(
  { rule, place }: HeldHours,
  epochDay: number,
  question: SendQuestion,
): { readonly windows: readonly Interval[]; readonly holiday: HolidayAnswer; readonly opened: boolean } {
  const holiday = followsHolidays(rule) ? holidayOn(place, epochDay, question.holidays) : 'none';
  const opened = isOpenedByNight(rule, question);
  return {
    windows: opened ? WHOLE_DAY : intervalsOf(windowsOn(rule, place, epochDay, holiday, question)),
    holiday,
    opened,
  };
}

/** The widest hours that the rule can have on any day of that weekday. */
export function widestHours({ rule }: HeldHours, epochDay: number): readonly Interval[] {
  const weekday = WEEKDAYS[weekdayIndexOf(epochDay)] ?? 'sunday';
  const ofWeekday = rule.weekdays[weekday] ?? NONE;
  if (!followsHolidays(rule)) return intervalsOf(ofWeekday);
  const ofRule = widest.get(rule) ?? new Map<Weekday, readonly Interval[]>();
  widest.set(rule, ofRule);
  const ofHoliday = typeof rule.holidays === 'string' ? NONE : rule.holidays;
  const ofSunday = rule.holidays === 'as-sunday' ? (rule.weekdays.sunday ?? NONE) : NONE;
  const known =
    ofRule.get(weekday) ?? union([ofWeekday, ofSunday, ofHoliday, rule.holidayEves ?? NONE].flatMap(intervalsOf));
  ofRule.set(weekday, known);
  return known;
}

/** By rule, which never changes. */
const widest = new WeakMap<WindowsRule, Map<Weekday, readonly Interval[]>>();

function windowsOn(
  rule: WindowsRule,
  place: string,
  epochDay: number,
  holiday: HolidayAnswer,
  question: SendQuestion,
): readonly LocalWindow[] {
  const ofWeekday = rule.weekdays[WEEKDAYS[weekdayIndexOf(epochDay)] ?? 'sunday'] ?? [];
  // Nobody knows whether the offices are open: nothing may leave.
  if (holiday === 'unknown') return [];
  if (holiday !== 'none' && rule.holidays !== 'as-weekday') {
    if (rule.holidays === 'closed') return [];
    return rule.holidays === 'as-sunday' ? (rule.weekdays.sunday ?? []) : rule.holidays;
  }
  if (rule.holidayEves === undefined || ofWeekday.length === 0) return ofWeekday;
  const next = holidayOn(place, epochDay + 1, question.holidays);
  if (next === 'unknown') return [];
  return next === 'none' ? ofWeekday : rule.holidayEves;
}

function dayRules(question: SendQuestion, rules: RulesInForce, places: readonly Place[], epochDay: number): DayRules {
  const hours: HeldHours[] = [];
  const seen = new Set<Rule>();
  const others = new Set<Exclude<Rule, WindowsRule>>();
  let withoutHours: string | undefined;
  for (const place of places) {
    const windows = rulesThatHold(rules, 'windows', place, question, epochDay);
    if (windows.length === 0) withoutHours ??= place.name;
    for (const rule of windows) {
      // Without holidays to follow, a rule is the same in all its places.
      if (!seen.has(rule) || followsHolidays(rule)) hours.push({ rule, place: place.name });
      seen.add(rule);
    }
    for (const kind of ['cap', 'consent-life', 'content'] as const) {
      for (const rule of rulesThatHold(rules, kind, place, question, epochDay)) others.add(rule);
    }
  }
  return { hours, others: [...others], ...(withoutHours === undefined ? {} : { withoutHours }) };
}

function followsHolidays(rule: WindowsRule): boolean {
  return rule.holidays !== 'as-weekday' || rule.holidayEves !== undefined;
}

function commonHours(
  question: SendQuestion,
  { hours, withoutHours }: DayRules,
  epochDay: number,
  { clock, slotsOpen, holidays }: View,
): readonly Interval[] {
  if (withoutHours !== undefined) return [];
  let open = clock === undefined ? wakingHours(question) : WHOLE_DAY;
  for (const held of hours) {
    if (held.rule.zone !== clock || (slotsOpen && held.rule.openedBy === 'slot')) continue;
    if (open.length === 0) return open;
    const widest = isOpenedByNight(held.rule, question) ? WHOLE_DAY : widestHours(held, epochDay);
    open = intersection(open, holidays ? hoursOfRule(held, epochDay, question).windows : widest);
  }
  return open;
}

function isOpenedByNight(rule: WindowsRule, question: SendQuestion): boolean {
  return rule.openedBy === 'night' && question.consent?.night === true;
}

/** The day without the person's quiet hours, which may pass midnight; the same hour twice is quiet all day. */
function wakingHours({ wishes }: SendQuestion): readonly Interval[] {
  if (wishes?.quietHours === undefined) return WHOLE_DAY;
  const from = minuteOf(wishes.quietHours[0]);
  const to = minuteOf(wishes.quietHours[1]);
  if (from === to) return [];
  const waking =
    from < to
      ? [
          [0, from],
          [to, MINUTES_PER_DAY],
        ]
      : [[to, from]];
  return waking.map(([opens = 0, closes = 0]) => ({ from: opens, to: closes })).filter((one) => one.from < one.to);
}

/** What is open in every candidate zone, each local day by the clock that its rules are told by. */
function common(weighing: Weighing, range: Interval, view: View): readonly Interval[] {
  let open: readonly Interval[] = [range];
  for (const zone of weighing.zonesFarthestFirst) {
    open = intersection(open, openIn(weighing, zone, range, view));
    if (open.length === 0) return open;
  }
  for (const clock of clocksOf(weighing, range)) {
    const zone = timeZoneOf(clock);
    open = zone === undefined ? [] : intersection(open, openIn(weighing, zone, range, { ...view, clock }));
  }
  return open;
}

function openIn(weighing: Weighing, zone: TimeZone, range: Interval, view: View): readonly Interval[] {
  const found: Interval[] = [];
  const last = localTimeAt(zone, range.to).epochDay;
  // A clock set back over midnight repeats the day before.
  for (let epochDay = localTimeAt(zone, range.from).epochDay - 1; epochDay <= last + 1; epochDay += 1) {
    for (const { from: opens, to: closes } of weighing.hoursOn(epochDay, view)) {
      const from = Math.max(range.from, wallTimeToInstant(zone, epochDay, opens, 'later'));
      const to = Math.min(range.to, wallTimeToInstant(zone, epochDay, closes, 'earlier'));
      if (from < to) found.push({ from, to });
    }
  }
  return union(found);
}

/** The zones that rules name instead of the person's own. */
function clocksOf(weighing: Weighing, range: Interval): ReadonlySet<string> {
  const named = rulesIn(weighing, range).flatMap(({ hours }) => hours.map(({ rule }) => rule.zone));
  return new Set(named.filter((zone) => zone !== undefined));
}

function asksForCalendars(weighing: Weighing, range: Interval): boolean {
  return rulesIn(weighing, range).some(({ hours }) => hours.some(({ rule }) => followsHolidays(rule)));
}

/** What holds on the days of a range, once for each change of the rules. */
function rulesIn(weighing: Weighing, range: Interval): readonly DayRules[] {
  const first = Math.floor(range.from / DAY_MS) - 2;
  const last = Math.ceil(range.to / DAY_MS) + 2;
  const days = [first, ...weighing.changes.filter((day) => day > first && day <= last)];
  return days.map((day) => weighing.rulesOn(day));
}

/** Read once per list, which belongs to a rule and never changes. */
const intervals = new WeakMap<readonly LocalWindow[], readonly Interval[]>();

function intervalsOf(windows: readonly LocalWindow[]): readonly Interval[] {
  const known = intervals.get(windows) ?? windows.map(([from, to]) => ({ from: minuteOf(from), to: minuteOf(to) }));
  intervals.set(windows, known);
  return known;
}

/** Minutes since midnight of `HH:MM`; `24:00` is 1,440. */
export function minuteOf(wallTime: string): number {
  return Number(wallTime.slice(0, 2)) * 60 + Number(wallTime.slice(3));
}
