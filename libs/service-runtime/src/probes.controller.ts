import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Registry } from 'prom-client';
import { Public } from './access.ts';
import { Health } from './health.ts';
import type { HealthReport } from './health.ts';
import { METRICS_REGISTRY } from './tokens.ts';

/** What orchestrators and Prometheus ask. Public; nothing in it is secret. */
@ApiExcludeController()
@Public()
@Controller()
export class ProbesController {
  readonly #health: Health;
  readonly #metrics: Registry;

  constructor(@Inject(Health) health: Health, @Inject(METRICS_REGISTRY) metrics: Registry) {
    this.#health = health;
    this.#metrics = metrics;
  }

  /** The process answers. Never looks at Kafka or MongoDB: a restart here does not mend those. */
  @Get('livez')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthReport> {
    return answer(reply, await this.#health.ready());
  }

  @Get('startupz')
  async started(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthReport> {
    return answer(reply, await this.#health.started());
  }

  @Get('metrics')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.type(this.#metrics.contentType);
    return this.#metrics.metrics();
  }
}

function answer(reply: FastifyReply, report: HealthReport): HealthReport {
  void reply.status(report.status === 'ok' ? 200 : 503);
  return report;
}
