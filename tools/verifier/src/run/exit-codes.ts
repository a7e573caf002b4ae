/** Exit codes, for scripts. */
export const VERIFY_EXIT = {
  /** everything was looked at and holds */
  ok: 0,
  /** something is wrong with the log; the report names it */
  faults: 1,
  /** the command could not be understood */
  usage: 2,
  /**
   * not finished: the server could not be reached, the run was interrupted, or the disk took no more; or nothing is wrong,
   * but the run could not be remembered. Run it again: it goes on where it was.
   */
  unfinished: 3,
  /** nothing is wrong, but there is something that could not be judged, such as events of types that are not known */
  unchecked: 4,
} as const;
