import { Env, RuntimeConfig } from '@assent/service-runtime';
import { ArrayNotEmpty, IsArray, IsInt, IsString, Matches, Max, Min, MinLength } from 'class-validator';

export class AuditConfig extends RuntimeConfig {
  @Env({ help: 'the port to listen on, 0 for any free one', default: '4004', as: 'integer' })
  override PORT!: number;

  @Env({
    help: 'the folder of the logs, on a disk that syncs; instances of one group share it',
    local: '.assent/data/audit',
  })
  @IsString()
  @MinLength(1)
  AUDIT_DATA_DIR!: string;

  @Env({
    help: 'the PKCS #8 PEM file of the Ed25519 key that signs the heads, mode 0600; made on demand outside production',
    local: '.assent/data/audit/signing-key.pem',
  })
  @IsString()
  @MinLength(1)
  AUDIT_SIGNING_KEY_FILE!: string;

  /** First part of every log's origin. Never changed: an origin is a log's identity. */
  @Env({
    help: 'the name of this installation’s logs, a URL without scheme such as audit.example.com',
    local: 'assent.local',
  })
  @Matches(/^[a-z0-9][a-z0-9.-]{0,62}(\/[a-z0-9.-]{1,32})?$/)
  AUDIT_ORIGIN!: string;

  @Env({ help: 'the milliseconds between two signatures of a log that grows', default: '500', as: 'integer' })
  @IsInt()
  @Min(50)
  @Max(60_000)
  AUDIT_CHECKPOINT_INTERVAL_MS!: number;

  @Env({
    help: 'the tenants whose auditors may read the entries of all tenants, separated by commas',
    local: 'acme',
    as: 'list',
  })
  @IsArray()
  @ArrayNotEmpty()
  @Matches(/^[a-z0-9][a-z0-9-]{0,31}$/, { each: true })
  AUDIT_ENTRIES_TENANTS!: string[];
}
