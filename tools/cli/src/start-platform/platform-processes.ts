import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository, seen from src/ and from dist/ alike. */
export const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));

export const SERVICES = ['consent', 'suppression', 'dispatch', 'audit'] as const;
export type ServiceName = (typeof SERVICES)[number];
export type ProcessName = ServiceName | 'simulator';
export const PROCESSES: readonly ProcessName[] = ['simulator', ...SERVICES];

/** Where everything is reached on a developer's machine; part of the public surface. */
export const LOCAL_PORTS: Readonly<Record<ProcessName, number>> = {
  consent: 4001,
  suppression: 4002,
  dispatch: 4003,
  audit: 4004,
  simulator: 4010,
};
/** Wished for, not needed: when another program has them, the stack takes free ones. */
export const STACK_PORTS = { kafka: 9092, mongo: 27017 } as const;

/** What the processes of one platform have to know of each other. */
export interface PlatformPlan {
  readonly ports: Readonly<Record<ProcessName, number>>;
  readonly brokers: string;
  readonly mongoUri: string;
  /** Keys, the audit's logs and the simulator's call log lie here. */
  readonly folder: string;
}

/** Settings of the caller's that a process of the platform may see; everything else it is given by us. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ', 'ASSENT_INSTANCE', 'LOG_LEVEL'] as const;

export function urlOf(ports: PlatformPlan['ports'], name: ProcessName): string {
  return `http://127.0.0.1:${ports[name]}`;
}

/** A platform on the usual ports. */
export const LOCAL_URLS = Object.fromEntries(PROCESSES.map((name) => [name, urlOf(LOCAL_PORTS, name)])) as Readonly<
  Record<ProcessName, string>
>;

export function scriptOf(name: ProcessName): string {
  const folder = name === 'simulator' ? join('tools', 'whatsapp-simulator') : join('services', name);
  return join(REPOSITORY, folder, 'dist', 'main.js');
}

/** A copy of this folder is what an auditor gets. */
export function auditFolderOf(folder: string): string {
  return join(folder, 'audit', 'public');
}

/** JSON lines of every call that reached the simulated provider. */
export function callLogOf(folder: string): string {
  return join(folder, 'whatsapp-calls.jsonl');
}

/** Addresses that one process is told, and its own port. */
export interface ProcessAddresses {
  readonly port: number;
  /** host:port, separated by commas */
  readonly brokers: string;
  readonly mongoUri: string;
  readonly consentUrl: string;
  readonly whatsappUrl: string;
  /** Keys, the audit's logs and the simulator's call log lie here. */
  readonly folder: string;
}

/** Pure: the whole environment of a process of a plan. */
export function environmentOf(
  name: ProcessName,
  { ports, brokers, mongoUri, folder }: PlatformPlan,
  outer: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const consentUrl = urlOf(ports, 'consent');
  const whatsappUrl = urlOf(ports, 'simulator');
  return processEnvironment(name, { port: ports[name], brokers, mongoUri, consentUrl, whatsappUrl, folder }, outer);
}

/** Pure: the whole environment of a process, so that the caller's own settings can't change what it does. */
export function processEnvironment(
  name: ProcessName,
  { port, brokers, mongoUri, consentUrl, whatsappUrl, folder }: ProcessAddresses,
  outer: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const inherited = Object.fromEntries(
    INHERITED.flatMap((variable) => (outer[variable] === undefined ? [] : [[variable, outer[variable]]])),
  );
  const shared = {
    ...inherited,
    NODE_ENV: 'development',
    HOST: '127.0.0.1',
    PORT: String(port),
    // Node 22 and newer keep compiled code there, which halves the time of a start; older ones ignore it.
    NODE_COMPILE_CACHE: join(REPOSITORY, '.assent', 'cache', 'node'),
  };
  const keys = join(folder, 'keys');
  const service = { ...shared, KAFKA_BROKERS: brokers, MONGODB_URI: mongoUri };
  switch (name) {
    case 'consent':
      return { ...service, PUBLIC_BASE_URL: consentUrl, ASSENT_KEK_FILE: join(keys, 'key-encryption-key') };
    case 'suppression':
      return service;
    case 'dispatch':
      return {
        ...service,
        CONSENT_INTERNAL_URL: consentUrl,
        WHATSAPP_API_URL: whatsappUrl,
        DISPATCH_REQUEST_KEYS_FILE: join(keys, 'dispatch-request-keys.json'),
      };
    case 'audit':
      return {
        ...service,
        AUDIT_DATA_DIR: join(folder, 'audit'),
        AUDIT_SIGNING_KEY_FILE: join(keys, 'audit-signing-key.pem'),
      };
    case 'simulator':
      return { ...shared, WEBHOOK_URL: `${consentUrl}/webhooks/whatsapp`, CALL_LOG: callLogOf(folder) };
  }
}
