import type { Scope } from '@assent/contracts';

/** `OPTOUT`, alone or with a scope behind it. Whatever follows, it withdraws. */
const OPT_OUT_BUTTON = /^optout(?:$|\|(?:(channel|category|purpose|sender):(.*))?)/is;

/** What a button's payload withdraws from; undefined when it is no opt-out. */
export function optOutScopeOf(payload: string): Scope | undefined {
  const optOut = OPT_OUT_BUTTON.exec(payload);
  return optOut === null ? undefined : scopeOf(optOut[1]?.toLowerCase(), optOut[2]);
}

const CATEGORIES = ['marketing', 'utility', 'authentication', 'service'] as const;

/** A scope that can't be read covers everything. */
function scopeOf(kind: string | undefined, id: string | undefined): Scope {
  const category = CATEGORIES.find((known) => known === id);
  if (kind === 'channel' && id === 'whatsapp') return { kind, id };
  if (kind === 'category' && category !== undefined) return { kind, id: category };
  if (kind === 'purpose' && id !== undefined && /^[a-z0-9][a-z0-9-]{0,47}$/.test(id)) return { kind, id };
  if (kind === 'sender' && id !== undefined && /^\d{1,32}$/.test(id)) return { kind, id };
  return { kind: 'all' };
}
