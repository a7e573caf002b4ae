/**
 * Writes src/generated/time-zones.ts from the tz data in the npm package moment-timezone, so that the library's time
 * zones are those of one tz release, whatever Node it runs on (docs/adr/0015). `npm run generate -w @assent/send-rules`.
 *
 * One line per zone: name | offsets from UTC in seconds | transitions, each the index of the new offset (one character,
 * base 36) and the seconds since the transition before, base 36. The first transition counts from 1970; what was before
 * has the first offset.
 */
import { createRequire } from 'node:module';
import { writeGenerated } from './write-generated.mjs';

const require = createRequire(import.meta.url);
const moment = require('moment-timezone/builds/moment-timezone-with-data.js');
const packed = require('moment-timezone/data/packed/latest.json');

/** Where the table ends: far beyond any dispatch, and a fifth of the size that all of the data would have. */
const ENDS = '2051-01-01T00:00:00.000Z';

function zoneLine(text) {
  const { name, untils, offsets } = moment.tz.unpack(text);
  const eastSeconds = offsets.map((west) => Math.round(-west * 60));
  const first = untils.findIndex((until) => until === null || until > 0);
  const known = [eastSeconds[first]];
  const indexOf = (offset) => {
    if (!known.includes(offset)) known.push(offset);
    return known.indexOf(offset);
  };
  let previous = 0;
  const transitions = [];
  for (let index = first; index < untils.length - 1; index += 1) {
    const at = Math.round(untils[index] / 1000);
    if (at * 1000 >= Date.parse(ENDS)) break;
    if (eastSeconds[index + 1] === eastSeconds[index]) continue;
    transitions.push(indexOf(eastSeconds[index + 1]).toString(36) + (at - previous).toString(36));
    previous = at;
  }
  return `${name}|${known.join(' ')}|${transitions.join(' ')}`;
}

function timeZonesModule() {
  return [
    '// Made by scripts/generate-time-zones.mjs from the tz data in moment-timezone (see data/NOTICE). Do not edit.\n',
    `/** The release of the tz database that the table was compiled from. */\nexport const TIME_ZONES_VERSION = '${packed.version}';\n`,
    `/** From here on the table says nothing. */\nexport const TIME_ZONES_END = '${ENDS}';\n`,
    `/** Zone | offsets in seconds | transitions: see scripts/generate-time-zones.mjs. */\nexport const TIME_ZONES = \`\n${packed.zones.map(zoneLine).sort().join('\n')}\n\`;\n`,
    `/** The zone that holds the data | another name of it. */\nexport const TIME_ZONE_LINKS = \`\n${packed.links.sort().join('\n')}\n\`;\n`,
  ].join('\n');
}

writeGenerated('time-zones.ts', timeZonesModule());
