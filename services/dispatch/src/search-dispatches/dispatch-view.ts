import type { DispatchDocument } from '../dispatch-ledger/dispatch.projection.ts';

/** A dispatch as callers see it: without sealed fields and without what only our look-ups need. */
export function dispatchView(document: DispatchDocument): Record<string, unknown> {
  const hidden = new Set(['_id', '_position', '_partition', '_epoch', 'wakeMinute', 'openFor', 'delayedFor', 'tenant']);
  return Object.fromEntries(
    Object.entries(document).filter(([name]) => !hidden.has(name) && !name.startsWith('sealed')),
  );
}
