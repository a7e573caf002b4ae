import { fileURLToPath } from 'node:url';

/** Modules that are imported before a service's program; see the files. */
export const WITHOUT_BARRIER = fileURLToPath(new URL('./without-barrier.js', import.meta.url));
export const LATE_PROJECTIONS = fileURLToPath(new URL('./late-projections.js', import.meta.url));
