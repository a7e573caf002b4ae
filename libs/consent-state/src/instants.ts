/**
 * Epoch milliseconds of an RFC 3339 time, or `unreadable` when it cannot be read. The caller chooses the value that
 * fails closed: a withdrawal of an unreadable time never ends, a grant of an unreadable time never counts as later.
 */
export function instantMs(time: string, unreadable: number): number {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? unreadable : ms;
}
