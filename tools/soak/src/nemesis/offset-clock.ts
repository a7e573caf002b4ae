/** What a run tells such a process over its channel. */
export interface ClockOffset {
  readonly clockOffsetMs: number;
}

/**
 * Imported before a service's own program, with `?offsetMs=…` behind its URL: the wall clock of that process is off by so
 * much, for everything in it, until a run tells it another offset: then it jumps. The monotonic clock is right, as on a
 * machine whose time was set wrong.
 */
let offsetMs = Number(new URL(import.meta.url).searchParams.get('offsetMs'));
if (!Number.isSafeInteger(offsetMs)) throw new TypeError('offsetMs is not a whole number of milliseconds');
process.on('message', (message: Partial<ClockOffset>) => {
  offsetMs = message.clockOffsetMs ?? offsetMs;
});

const RightDate = Date;

/** `new Date()`, `Date()` and `Date.now()` are off; a date that is given an instant is that instant. */
globalThis.Date = new Proxy(RightDate, {
  construct: (target, args: unknown[], newTarget): object =>
    Reflect.construct(target, args.length === 0 ? [RightDate.now() + offsetMs] : args, newTarget) as object,
  apply: () => new RightDate(RightDate.now() + offsetMs).toString(),
  get: (target, name, receiver): unknown =>
    name === 'now' ? () => RightDate.now() + offsetMs : Reflect.get(target, name, receiver),
});
