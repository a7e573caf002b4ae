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

  @Env({
    help: 'the file of the key that is to follow, made by `make-signing-key`; both sign until it takes the place of AUDIT_SIGNING_KEY_FILE',
    default: '',
  })
  @IsString()
  AUDIT_NEXT_SIGNING_KEY_FILE!: string;

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

  @Env({
    help: 'a C2SP tlog-policy file with the witnesses to ask, each with its URL; none are asked without it',
    default: '',
  })
  @IsString()
  AUDIT_WITNESS_POLICY_FILE!: string;

  @Env({ help: 'the milliseconds between two rounds of asking the witnesses', default: '2000', as: 'integer' })
  @IsInt()
  @Min(100)
  @Max(3_600_000)
  AUDIT_WITNESS_INTERVAL_MS!: number;

  /** Hashes and offsets are kept for ever; of topics that are kept for ever, entries too. */
  @Env({
    help: 'for how many days entries of topics with limited life are kept, such as whatsapp.inbound=90; for ever when it is not set',
    default: '',
    as: 'list',
  })
  @IsArray()
  @Matches(/^whatsapp\.inbound=[1-9]\d{0,4}$/, { each: true })
  AUDIT_ENTRY_RETENTION_DAYS!: string[];
}
