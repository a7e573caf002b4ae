import { Env, RuntimeConfig } from '@assent/service-runtime';
import { IsString, MinLength } from 'class-validator';

export class SuppressionConfig extends RuntimeConfig {
  @Env({ help: 'the port to listen on, 0 for any free one', default: '4002', as: 'integer' })
  override PORT!: number;

  @Env({
    help: 'the live peppers as id:base64, separated by commas, the current one first; at least 32 bytes each',
    local: 'local:bG9jYWwtcGVwcGVyLW9mLXRoaXJ0eS10d28tYnl0ZXM=',
  })
  @IsString()
  @MinLength(40)
  ASSENT_PEPPERS!: string;
}
