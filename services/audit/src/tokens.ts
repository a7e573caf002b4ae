/** The `LogStore` that holds the logs. */
export const LOG_STORE = Symbol('LOG_STORE');
/** The `LogSurroundings`: store, key, origin, clock. */
export const LOG_SURROUNDINGS = Symbol('LOG_SURROUNDINGS');
/** The `Projector` of this service's read models. */
export const AUDIT_PROJECTOR = Symbol('AUDIT_PROJECTOR');
/** The `Witnesses` that are asked, or `undefined` where none are. */
export const WITNESSES = Symbol('WITNESSES');
