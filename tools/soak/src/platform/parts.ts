import { type ProcessAddresses, processEnvironment, type ProcessName, type ServiceName, SERVICES } from '@assent/cli';

/** One process: `dispatch-2` is the second process of dispatch; there is one simulator. */
export type PartName = `${ServiceName}-${number}` | 'simulator';

export function partName(service: ServiceName, n: number): PartName {
  return `${service}-${n}`;
}

/** undefined for the simulator. */
export function serviceOf(part: PartName): ServiceName | undefined {
  return SERVICES.find((service) => part.startsWith(`${service}-`));
}

/** Whose program it runs. */
export function processOf(part: PartName): ProcessName {
  return serviceOf(part) ?? 'simulator';
}

/** A simulator that neither slows calls down nor waits with its statuses as WhatsApp does. */
const FAST_SIMULATOR = { THROUGHPUT_PER_SECOND: '1000', STATUS_DELAY_MS: '5' };

/** Pure: the whole environment of one process. Of the caller's own settings it has what any program needs. */
export function environmentOf(
  part: PartName,
  at: ProcessAddresses,
  { PATH, HOME, LANG, TZ }: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const name = processOf(part);
  const inherited = { PATH, HOME, LANG, TZ, ...(name === 'simulator' ? {} : { LOG_LEVEL: 'info' }) };
  return { ...processEnvironment(name, at, inherited), ...(name === 'simulator' ? FAST_SIMULATOR : {}) };
}
