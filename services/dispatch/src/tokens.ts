/** The `Projector` of this service's read models. */
export const DISPATCH_PROJECTOR = Symbol('DISPATCH_PROJECTOR');
/** The `Barrier` that gates wait at. */
export const BARRIER = Symbol('BARRIER');
/** The `GateVersions` of this process. */
export const GATE_VERSIONS = Symbol('GATE_VERSIONS');
