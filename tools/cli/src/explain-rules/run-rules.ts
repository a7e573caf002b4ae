import { parseArgs } from 'node:util';
import { isKnownZone, ruleSetReference, SEND_RULES_VERSIONS, type SendCategory } from '@assent/send-rules';
import { CommandError, EXIT } from '../command-error.ts';
import { diffLines } from './diff-rules.ts';
import { type AskedSend, explainSend } from './explain-send.ts';
import { explanationLines, painter } from './explanation-lines.ts';
import { ruleSetOf } from './rule-set-source.ts';

const USAGE = `Usage: ./assent rules explain --phone <number> [--at <instant>] [--purpose <id>]
           [--category <category>] [--region <region>] [--zone <zone>]
           [--rule-set <file or name>] [--json]
       ./assent rules diff <rule set> <rule set>

explain  where a person with that number may be, when a message may reach them
         there, by which rules, and what those rest on
diff     what the second rule set has otherwise than the first

  --at <instant>     2026-11-24T17:00Z or with an offset; now when absent
  --category         marketing (when absent), utility, authentication, service
  --region <region>  where the person says they live: DE, US-FL
  --zone <zone>      time zone the person declared: America/New_York
  --rule-set         a JSON file, or default (when absent), demo, assent@1`;

/** The chart's week has to be one that a calendar of four-digit years has. */
const AT_MAX = Date.parse('9999-12-01T00:00:00Z');

const CATEGORIES: readonly string[] = ['marketing', 'utility', 'authentication', 'service'];

export interface RulesIo {
  stdout(text: string): void;
  readonly isColoured: boolean;
  /** Epoch milliseconds. */
  now(): number;
}

/** `./assent rules …`; answers the exit code. Throws `CommandError` for what can't be understood. */
export async function runRules([verb, ...args]: readonly string[], io: RulesIo): Promise<number> {
  if (verb === 'explain') return explain(args, io);
  if (verb === 'diff') return diff(args, io);
  throw new CommandError(USAGE, EXIT.usage);
}

async function explain(args: readonly string[], io: RulesIo): Promise<number> {
  const { asked, json } = await askedOf(args, io.now());
  const explained = explainSend(asked);
  if (json) {
    const { location, verdict, week, chartZone } = explained;
    const { at, purposeId, category, ruleSet } = asked;
    const question = { at: new Date(at).toISOString(), purposeId, category, ruleSet: ruleSetReference(ruleSet) };
    const until = 'until' in verdict ? { until: new Date(verdict.until).toISOString() } : {};
    const answer = { question, versions: SEND_RULES_VERSIONS, location, ...verdict, ...until, chartZone, week };
    io.stdout(`${JSON.stringify(answer, undefined, 2)}\n`);
  } else {
    io.stdout(`${explanationLines(explained, painter(io.isColoured)).join('\n')}\n`);
  }
  return EXIT.ok;
}

async function diff(args: readonly string[], io: RulesIo): Promise<number> {
  const [before, after, ...rest] = args;
  if (before === undefined || after === undefined || rest.length > 0) throw new CommandError(USAGE, EXIT.usage);
  const lines = diffLines(await ruleSetOf(before), await ruleSetOf(after));
  io.stdout(`${lines.length === 0 ? 'Both have the same rules.' : lines.join('\n')}\n`);
  return EXIT.ok;
}

async function askedOf(args: readonly string[], now: number): Promise<{ asked: AskedSend; json: boolean }> {
  const values = parse(args);
  const { phone, zone, region, purpose = 'news', category = 'marketing', at } = values;
  if (phone === undefined && zone === undefined && region === undefined) {
    throw new CommandError(`Say whom it is about: --phone, --region or --zone.\n\n${USAGE}`, EXIT.usage);
  }
  if (phone !== undefined && !/^\+?[1-9]\d{6,14}$/.test(phone)) {
    throw new CommandError('--phone takes a number with its country code and no spaces: +12125550100.', EXIT.usage);
  }
  if (zone !== undefined && !isKnownZone(zone)) {
    throw new CommandError(
      `There is no time zone ${zone}. Names are those of the tz database: Europe/Berlin.`,
      EXIT.usage,
    );
  }
  if (region !== undefined && !/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(region)) {
    throw new CommandError('--region takes an ISO 3166 code in capitals: DE, US-FL.', EXIT.usage);
  }
  if (!CATEGORIES.includes(category)) {
    throw new CommandError(`--category takes one of ${CATEGORIES.join(', ')}.`, EXIT.usage);
  }
  const asked = {
    recipient: {
      ...(phone === undefined ? {} : { phone }),
      ...(zone === undefined ? {} : { declaredZone: zone }),
      ...(region === undefined ? {} : { declaredRegion: region }),
    },
    at: at === undefined ? now : instantOf(at),
    purposeId: purpose,
    category: category as SendCategory,
    ruleSet: await ruleSetOf(values['rule-set'] ?? 'default'),
  };
  return { asked, json: values.json };
}

/** An instant needs an offset: without one it would be the time of whoever asks. */
function instantOf(text: string): number {
  const [, date] = /^(\d{4}-\d{2}-\d{2})T.*(?:Z|[+-]\d{2}:\d{2})$/.exec(text) ?? [];
  const at = date === undefined ? Number.NaN : Date.parse(text);
  // Date.parse takes 31 February for 3 March.
  const exists = !Number.isNaN(at) && date !== undefined && new Date(date).toISOString().startsWith(date);
  if (!exists || at < 0 || at >= AT_MAX) {
    throw new CommandError(
      '--at takes an instant with its offset: 2026-11-24T17:00Z or 2026-11-24T17:00-09:00.',
      EXIT.usage,
    );
  }
  return at;
}

function parse(args: readonly string[]): Partial<
  Record<'phone' | 'at' | 'purpose' | 'category' | 'region' | 'zone' | 'rule-set', string>
> & {
  json: boolean;
} {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        phone: text,
        at: text,
        purpose: text,
        category: text,
        region: text,
        zone: text,
        'rule-set': text,
        json: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new CommandError(
      `${error instanceof Error ? error.message : 'The options are not understood.'}\n\n${USAGE}`,
      EXIT.usage,
    );
  }
}
