import { fileURLToPath } from 'node:url';

/** Modules that are imported before a service's program; see the files. */
export const WITHOUT_BARRIER = fileURLToPath(new URL('./without-barrier.js', import.meta.url));
export const LATE_PROJECTIONS = fileURLToPath(new URL('./late-projections.js', import.meta.url));
export const SLOW_DISK = fileURLToPath(new URL('./slow-disk.js', import.meta.url));
/** A URL: its offset comes with it, and none is one that a run changes later. */
export const JUMPING_CLOCK = new URL('../nemesis/offset-clock.js?offsetMs=0', import.meta.url).href;
