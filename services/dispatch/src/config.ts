import { PATTERNS } from '@assent/contracts';
import { Env, RuntimeConfig } from '@assent/service-runtime';
import { IsArray, IsObject, IsString, IsUrl, Matches, MinLength } from 'class-validator';

export class DispatchConfig extends RuntimeConfig {
  @Env({ help: 'the port to listen on, 0 for any free one', default: '4003', as: 'integer' })
  override PORT!: number;

  @Env({
    help: 'the live peppers as id:base64, separated by commas, the current one first; at least 32 bytes each',
    local: 'local:bG9jYWwtcGVwcGVyLW9mLXRoaXJ0eS10d28tYnl0ZXM=',
  })
  @IsString()
  @MinLength(40)
  ASSENT_PEPPERS!: string;

  @Env({ help: 'the base URL of the consent service, for subject keys', local: 'http://127.0.0.1:4001' })
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true })
  CONSENT_INTERNAL_URL!: string;

  @Env({
    help: 'a JSON object of bearer tokens with role service by tenant, as the consent service knows them',
    local: '{"acme":"local-service"}',
    as: 'json',
  })
  @IsObject()
  ASSENT_SERVICE_TOKENS!: Readonly<Record<string, string>>;

  @Env({
    help: "the base URL of WhatsApp's Graph API, https://graph.facebook.com in production",
    local: 'http://127.0.0.1:4010',
  })
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true })
  WHATSAPP_API_URL!: string;

  @Env({ help: 'the access token of the WhatsApp system user', local: 'local-access-token' })
  @IsString()
  @MinLength(8)
  WHATSAPP_ACCESS_TOKEN!: string;

  @Env({
    help: 'the file with the private keys of dispatch.requests, {"keys": [JWK, …]}, mode 0600; made on demand outside production',
    local: '.assent/keys/dispatch-request-keys.json',
  })
  @IsString()
  DISPATCH_REQUEST_KEYS_FILE!: string;

  @Env({
    help: 'a JSON list of tenants whose rule sets take effect only after a second person signed them off',
    default: '[]',
    as: 'json',
  })
  @IsArray()
  @Matches(PATTERNS.Tenant, { each: true })
  DISPATCH_SECOND_PERSON_TENANTS!: readonly string[];
}
