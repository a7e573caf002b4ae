/** Exit codes, for scripts. */
export const VERIFY_EXIT = {
  /** everything that was looked at holds */
  ok: 0,
  /** something is wrong with the log; the report names it */
  faults: 1,
  /** the command could not be understood */
  usage: 2,
  /** not finished: the server could not be reached, or the run was interrupted. Run it again: it goes on where it was. */
  unfinished: 3,
} as const;
