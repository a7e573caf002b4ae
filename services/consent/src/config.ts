import { Env, RuntimeConfig } from '@assent/service-runtime';
import { IsString, IsUrl, Matches, MinLength } from 'class-validator';

export class ConsentConfig extends RuntimeConfig {
  @Env({ help: 'the port to listen on, 0 for any free one', default: '4001', as: 'integer' })
  override PORT!: number;

  @Env({ help: "the app secret that signs WhatsApp's webhooks", local: 'local-app-secret' })
  @IsString()
  @MinLength(8)
  WHATSAPP_APP_SECRET!: string;

  @Env({ help: "the token of WhatsApp's webhook handshake", local: 'local-verify-token' })
  @IsString()
  @MinLength(8)
  WHATSAPP_VERIFY_TOKEN!: string;

  @Env({
    help: 'the live peppers as id:base64, separated by commas, the current one first; at least 32 bytes each',
    local: 'local:bG9jYWwtcGVwcGVyLW9mLXRoaXJ0eS10d28tYnl0ZXM=',
  })
  @IsString()
  @MinLength(40)
  ASSENT_PEPPERS!: string;

  @Env({
    help: 'the key of confirmation and unsubscribe links, base64 of at least 32 bytes',
    local: 'bG9jYWwtY29uZmlybWF0aW9uLWtleS1vZi0zMi1ieXRlcyE=',
  })
  @Matches(/^[A-Za-z0-9+/]{42,}={0,2}$/, { message: 'must be base64 of at least 32 bytes' })
  ASSENT_CONFIRMATION_KEY!: string;

  @Env({
    help: 'the file with the key-encryption key, base64 of 32 bytes, mode 0600; made on demand outside production',
    local: '.assent/keys/kek',
  })
  @IsString()
  ASSENT_KEK_FILE!: string;

  @Env({ help: 'the address under which people reach the pages of this service', local: 'http://127.0.0.1:4001' })
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true })
  PUBLIC_BASE_URL!: string;
}
