/** The service's `EventLog`. */
export const EVENT_LOG = Symbol('EVENT_LOG');
/** The mongoose `Connection` to this service's own database; closed last at shutdown. */
export const DB = Symbol('DB');
/** The service's `Clock`. */
export const CLOCK = Symbol('CLOCK');
/** The service's `NewId`. */
export const NEW_ID = Symbol('NEW_ID');
/** The service's pino `Logger`, with redaction. */
export const LOGGER = Symbol('LOGGER');
/** The instance of the service's configuration class. */
export const RUNTIME_CONFIG = Symbol('RUNTIME_CONFIG');
/** The prom-client `Registry` that `/metrics` answers from. */
export const METRICS_REGISTRY = Symbol('METRICS_REGISTRY');
