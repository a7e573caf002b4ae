import 'reflect-metadata';
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import {
  Controller,
  Headers,
  HttpCode,
  Module,
  Post,
  type RawBodyRequest,
  Req,
  UnauthorizedException,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

const key = createSecretKey(Buffer.from('local-app-secret'));

/** The baseline: parses the JSON, checks the HMAC, answers 200, keeps nothing. */
@Controller('webhooks/whatsapp')
class BareWebhookController {
  @Post()
  @HttpCode(200)
  receive(@Req() request: RawBodyRequest<object>, @Headers('x-hub-signature-256') signature = ''): void {
    const right = createHmac('sha256', key)
      .update(request.rawBody ?? '')
      .digest();
    const given = Buffer.from(signature.slice('sha256='.length), 'hex');
    if (given.length !== right.length || !timingSafeEqual(given, right)) throw new UnauthorizedException();
  }
}

@Module({ controllers: [BareWebhookController] })
class BareWebhookModule {}

const app = await NestFactory.create<NestFastifyApplication>(BareWebhookModule, new FastifyAdapter(), {
  rawBody: true,
  logger: false,
});
await app.listen(0, '127.0.0.1');
process.send?.(await app.getUrl());
