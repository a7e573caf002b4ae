/** What can be made to go wrong. Each fault counts down its calls, messages or POSTs and is gone at zero. */
export type Fault =
  /** The message is taken, the caller never hears of it: the connection stays open and silent. */
  | { readonly kind: 'lose-reply'; readonly times: number }
  /** The message is taken at once, the answer comes `delayMs` later. */
  | { readonly kind: 'delay-reply'; readonly times: number; readonly delayMs: number }
  /** The connection is reset before the body is read; nothing is taken. */
  | { readonly kind: 'reset-before-body'; readonly times: number }
  /** The connection is reset instead of an answer; the message is taken. */
  | { readonly kind: 'reset-after-body'; readonly times: number }
  /** The call is refused with this error code; nothing is taken. */
  | { readonly kind: 'error'; readonly times: number; readonly code: number; readonly httpStatus?: number }
  /** The message is taken and then fails with this code in a `failed` status. */
  | { readonly kind: 'fail-status'; readonly times: number; readonly code: number }
  /** Each status of the message comes twice. */
  | { readonly kind: 'duplicate-statuses'; readonly times: number }
  /** The statuses of the message come last first, with their right timestamps. */
  | { readonly kind: 'reorder-statuses'; readonly times: number };

export type FaultKind = Fault['kind'];
type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;

const FAULTS_MAX = 1_000;

/** The faults still to come, in the order they were asked for. */
export class Faults {
  private planned: Fault[] = [];

  add(fault: Fault): void {
    if (this.planned.length >= FAULTS_MAX) throw new RangeError(`more than ${FAULTS_MAX} faults`);
    this.planned.push(fault);
  }

  /** The oldest fault of that kind, once less from now on. */
  take<K extends FaultKind>(kind: K): FaultOf<K> | undefined {
    const index = this.planned.findIndex((fault) => fault.kind === kind);
    const fault = this.planned[index];
    if (fault === undefined) return undefined;
    const left = { ...fault, times: fault.times - 1 };
    this.planned.splice(index, 1, ...(left.times > 0 ? [left] : []));
    return fault as FaultOf<K>;
  }

  list(): readonly Fault[] {
    return [...this.planned];
  }

  clear(): void {
    this.planned = [];
  }
}
