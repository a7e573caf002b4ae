import { Public } from '@assent/service-runtime';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { JWK } from 'jose';
import { RequestKeys } from './request-keys.ts';

@ApiTags('requests over Kafka')
@Controller('.well-known/jwks.json')
export class RequestKeysController {
  constructor(@Inject(RequestKeys) private readonly keys: RequestKeys) {}

  @Get()
  @Public()
  @ApiOperation({ summary: 'Public keys to seal recipients of dispatch.requests to' })
  publicKeys(): Promise<{ keys: JWK[] }> {
    return this.keys.publicKeys();
  }
}
