/**
 * What each reason says in English. A reason's code is the key of its text in other languages; `{name}` stands for one
 * of its parameters. Never personal data.
 */
export const MESSAGES_EN = {
  'exempt-from-send-windows': 'It answers what the person just did, so the hours for sending do not apply.',
  'inside-send-window': 'The hours of {rule} ({jurisdiction}) allow it.',
  'outside-send-window':
    'It is {time} on {weekday}, {date} in {zone}, where the person may be; that is outside the hours of {rule} ({jurisdiction}).',
  'outside-on-holiday':
    'It is {date} in {zone}, where the person may be: {holiday}, a public holiday in {place}. The hours of {rule} ({jurisdiction}) do not allow it.',
  'outside-calendar-unknown':
    'Nobody knows whether {date} is a public holiday in {place}, so the hours of {rule} ({jurisdiction}) do not allow it. Enter the holidays of that year.',
  'opened-by-consent': 'The person agreed to messages outside the hours of {rule} ({jurisdiction}).',
  'no-window-rule': 'The rule set has no hours for this kind of message in {place}.',
  'zone-unknown': 'Nothing tells which time zone the person is in. Ask for it, or record it with the consent.',
  'no-common-window':
    'Within {days} days no instant is allowed everywhere the person may be ({zones} time zones, {places} places).',
  'common-window-too-short':
    'The hours that are allowed everywhere the person may be are shorter than an hour ({zones} time zones, {places} places).',
  'time-zone-data-ends': 'The time zone data of this build end on {date}. Update it.',
  'rule-set-unknown-base':
    'The rule set rests on rules that this build does not have. Update it, or publish another base.',
  'rule-set-unreadable': 'The rule set has a shape that this build does not read. Publish it again.',
  'within-cap': '{count} of at most {attemptsMax} in {windowHours} hours so far ({rule}, {jurisdiction}).',
  'cap-reached': 'There were {count} in the last {windowHours} hours; {rule} ({jurisdiction}) allows {attemptsMax}.',
  'within-wished-frequency': '{count} of at most {attemptsMax} in {windowHours} hours so far, as the person wishes.',
  'wished-frequency-reached':
    'There were {count} in the last {windowHours} hours; the person wishes at most {attemptsMax}.',
  'outside-quiet-hours': 'It is outside the hours in which the person wants no messages.',
  'quiet-hours': 'The person wants no messages between {from} and {to}; it is {time} in {zone}.',
  'wish-unreadable': 'The wish of the person about hours or frequency cannot be read. Ask again.',
  blackout: 'Nothing may be sent to where the person may be: {reason}.',
  'consent-live': 'The consent lasts at least until {until} ({rule}, {jurisdiction}).',
  'consent-lapsed': 'The consent lapsed on {until} ({rule}, {jurisdiction}). Ask again, do not send.',
  'consent-lapses-first': 'The consent lapses on {until} ({rule}, {jurisdiction}), before the next allowed time.',
  'consent-age-unknown': 'Nothing tells how old the consent is, and {rule} ({jurisdiction}) lets it lapse.',
  'content-fits': 'It says what {rule} ({jurisdiction}) asks for.',
  'content-unknown': 'Nothing tells what the message says, so {rule} ({jurisdiction}) cannot be checked.',
  'category-fits': 'The template is {template}, the purpose {purpose}.',
  'category-exceeds-purpose': 'The template is {template}, the purpose is {purpose}: the person agreed to less.',
  'sender-not-named': 'The message does not say who sends it ({rule}, {jurisdiction}).',
  'opt-out-hint-missing': 'The message does not say how to end messages like it ({rule}, {jurisdiction}).',
  'advertising-label-missing': 'The message does not begin with {label} ({rule}, {jurisdiction}).',
  'text-too-long': 'The {part} has {length} characters; {lengthMax} is the most that WhatsApp takes.',
  'link-shortened':
    'A link goes through {host}, a shortener; WhatsApp refuses templates with one, and people cannot see where it leads.',
  'link-to-bare-address': 'A link names a bare network address instead of a host.',
  'link-not-https': 'A link is not https.',
  'wording-capitals': 'Advice: {percent} % of the letters are capitals.',
  'wording-exclamation': 'Advice: {count} exclamation marks.',
} as const;

export type ReasonCode = keyof typeof MESSAGES_EN;
