import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository, seen from src/ and from dist/ alike. */
export const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));

export const SERVICES = ['consent', 'suppression', 'dispatch', 'audit'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** One process: `dispatch-2` is the second process of dispatch; there is one simulator. */
export type PartName = `${ServiceName}-${number}` | 'simulator';

export function partName(service: ServiceName, n: number): PartName {
  return `${service}-${n}`;
}

/** undefined for the simulator. */
export function serviceOf(part: PartName): ServiceName | undefined {
  return SERVICES.find((service) => part.startsWith(`${service}-`));
}

export function scriptOf(part: PartName): string {
  const service = serviceOf(part);
  const folder = service === undefined ? join('tools', 'whatsapp-simulator') : join('services', service);
  return join(REPOSITORY, folder, 'dist', 'main.js');
}

/** What the processes have to know of each other: the addresses that each one is told, proxies included. */
export interface PartAddresses {
  readonly port: number;
  /** host:port, separated by commas */
  readonly brokers: string;
  readonly mongoUri: string;
  readonly consentUrl: string;
  readonly whatsappUrl: string;
  /** Keys, the audit's logs and the simulator's call log lie here. */
  readonly folder: string;
}

/** Settings of the caller's that a process may see; everything else it is given by us. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ'] as const;

/** Pure: the whole environment of one process. */
export function environmentOf(
  part: PartName,
  at: PartAddresses,
  outer: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => (outer[name] === undefined ? [] : [[name, outer[name]] as const]));
  const keys = join(at.folder, 'keys');
  const service = serviceOf(part);
  const shared = {
    ...Object.fromEntries(inherited),
    NODE_ENV: 'development',
    HOST: '127.0.0.1',
    PORT: String(at.port),
    NODE_COMPILE_CACHE: join(REPOSITORY, '.assent', 'cache', 'node'),
  };
  if (service === undefined) {
    return {
      ...shared,
      CALL_LOG: callLogOf(at.folder),
      WEBHOOK_URL: `${at.consentUrl}/webhooks/whatsapp`,
      THROUGHPUT_PER_SECOND: '1000',
      STATUS_DELAY_MS: '5',
    };
  }
  const own: Readonly<Record<ServiceName, Record<string, string>>> = {
    consent: { PUBLIC_BASE_URL: at.consentUrl, ASSENT_KEK_FILE: join(keys, 'key-encryption-key') },
    suppression: {},
    dispatch: {
      CONSENT_INTERNAL_URL: at.consentUrl,
      WHATSAPP_API_URL: at.whatsappUrl,
      DISPATCH_REQUEST_KEYS_FILE: join(keys, 'dispatch-request-keys.json'),
    },
    audit: {
      AUDIT_DATA_DIR: join(at.folder, 'audit'),
      AUDIT_SIGNING_KEY_FILE: join(keys, 'audit-signing-key.pem'),
    },
  };
  return { ...shared, LOG_LEVEL: 'info', KAFKA_BROKERS: at.brokers, MONGODB_URI: at.mongoUri, ...own[service] };
}

/** What an auditor gets, see docs/formats/audit-folder.md. */
export function auditFolderOf(folder: string): string {
  return join(folder, 'audit', 'public');
}

export function callLogOf(folder: string): string {
  return join(folder, 'whatsapp-calls.jsonl');
}
