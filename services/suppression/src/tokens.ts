/** The `Projector` of this service's read models. */
export const SUPPRESSION_PROJECTOR = Symbol('SUPPRESSION_PROJECTOR');
/** The `Barrier` that checks wait at. */
export const BARRIER = Symbol('BARRIER');
