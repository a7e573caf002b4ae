/**
 * The figures of every shipped rule, one a line; `lineOf` makes the same line of a rule, so a figure that changes in a
 * file alone, or here alone, turns a test red. Written from the same notes as the files: it catches slips and unmeant
 * changes, but is no second source, and can't tell that the notes misread a law.
 */
export const SHIPPED_RULE_LINES = `
default-hours | active | Mon-Fri 10-17; holidays closed
default-cap-24h | active | 1 in 24 h per purpose
default-cap-7d | active | 2 in 168 h per purpose
default-cap-30d | active | 4 in 720 h per purpose
any-implied-purchase-life | active | implied-purchase ends 24 months after grant
any-implied-enquiry-life | active | implied-enquiry ends 6 months after grant
any-sender-named | active | sender-named
any-opt-out-hint | active | opt-out-hint

us-federal-hours | active | Mon-Sun 8-21; holidays as-weekday
us-fl-hours | active | Mon-Sun 8-20; holidays as-weekday
us-fl-cap-24h | active | 3 in 24 h per purpose
us-ok-hours | shadow | Mon-Sun 8-20; holidays as-weekday
us-ok-cap-24h | shadow | 3 in 24 h per purpose
us-md-hours | shadow | Mon-Sun 8-20; holidays as-weekday
us-md-cap-24h | shadow | 3 in 24 h per purpose
us-wa-hours | active | Mon-Sun 8-20; holidays as-weekday; from 2022-06-09
us-tx-hours | active | Mon-Sat 9-21, Sun 12-21; holidays as-weekday; from 2025-09-01
us-ct-hours | active | Mon-Sun 9-20; holidays as-weekday
us-nj-hours | shadow | Mon-Sun 8-20; holidays closed; from 2023-12-01
us-ma-hours | shadow | Mon-Sun 8-20; holidays closed
us-al-hours | shadow | Mon-Sat 8-20; holidays closed
us-la-hours | shadow | Mon-Sat 8-20; holidays closed
us-ms-hours | shadow | Mon-Sat 8-20; by the clock of America/Chicago; holidays closed
us-ri-hours | shadow | Mon-Fri 9-18, Sat 10-17; holidays closed
us-ky-hours | shadow | Mon-Sun 10-21; holidays as-weekday
us-mi-hours | shadow | Mon-Sun 9-21; holidays as-weekday
us-mn-hours | shadow | Mon-Sun 9-21; holidays as-weekday
us-nm-hours | shadow | Mon-Sun 9-21; holidays as-weekday
us-nv-hours | shadow | Mon-Sun 9-20; holidays as-weekday
us-ca-hours | shadow | Mon-Sun 9-21; holidays as-weekday
us-il-hours | shadow | Mon-Sun 9-21; holidays as-weekday
us-ut-hours | shadow | Mon-Fri 8-21; holidays closed
us-pa-hours | shadow | Mon-Fri 8-21; holidays closed
us-va-hours | shadow | Mon-Sun 8-21; holidays as-weekday; from 2026-01-01

ca-hours | active | Mon-Fri 9-21:30, Sat-Sun 10-18; holidays as-sunday
ca-implied-purchase-life | shadow | implied-purchase ends 24 months after grant
ca-implied-enquiry-life | shadow | implied-enquiry ends 6 months after grant
gb-hours | shadow | Mon-Sat 8-20, Sun 10-17; holidays as-sunday
fr-voice-hours | active | Mon-Fri 10-13+14-20; holidays closed; opened by slot
fr-sms-hours | shadow | Mon-Sat 8-20; holidays closed
fr-cap-30d | active | 4 in 720 h
fr-consent-life | active | express ends 36 months after last-act
de-hours | shadow | Mon-Sat 8-20; holidays closed
de-consent-life | active | express ends 48 months after last-use
es-hours | shadow | Mon-Fri 9-21; holidays closed
it-hours | shadow | Mon-Fri 9-20, Sat 10-19; holidays closed; eves 10-19
it-consent-life | active | express ends 24 months after grant
in-hours | shadow | Mon-Sun 10-21; holidays as-weekday
kr-hours | active | Mon-Sun 8-21; holidays as-weekday; opened by night
kr-consent-life | active | express ends 24 months after grant
kr-label | active | advertising-label (광고)
ae-hours | active | Mon-Sun 9-18; holidays as-weekday
ae-cap-24h | active | 1 in 24 h
ae-cap-7d | active | 2 in 168 h
sa-hours | shadow | Mon-Sun 9-21; holidays as-weekday
jo-hours | shadow | Mon-Sun 7-21; holidays closed
ng-hours | shadow | Mon-Sun 8-20; holidays closed
kz-hours | shadow | Mon-Sun 9-22; holidays closed
vn-hours | active | Mon-Sun 7-22; holidays as-weekday
vn-cap-24h | active | 3 in 24 h
sg-hours | shadow | Mon-Sun 9-20; holidays as-weekday
au-hours | active | Mon-Fri 9-20, Sat 9-17; holidays closed
za-hours | active | Mon-Fri 8-20, Sat 9-13; holidays closed
br-hours | shadow | Mon-Fri 9-21, Sat 10-16; holidays closed
br-cap-24h | shadow | 2 in 24 h
br-cap-30d | shadow | 15 in 720 h
br-rj-hours | shadow | Mon-Fri 8-18; holidays closed
mx-hours | shadow | Mon-Sat 9-20; holidays closed
tr-hours | shadow | Mon-Sat 9-20; holidays closed

af-weekly-rest | active | Mon-Wed 0-24, Sat-Sun 0-24; holidays as-weekday
bd-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
bh-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
bn-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
dj-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
dz-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
eg-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
il-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
iq-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
ir-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
jo-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
kw-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
ly-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
mv-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
my-02-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
my-03-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
my-11-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
om-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
ps-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
qa-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
sa-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
sd-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
so-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
sy-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
ye-weekly-rest | active | Mon-Thu 0-24, Sat-Sun 0-24; holidays as-weekday
`;
