import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { describeDtos } from './describe-dtos.ts';
import type { DeclaredRoutes } from './routes-audit.ts';

/** Serves `/openapi.json` and the page `/docs` over it. Public: the calls of a service are no secret. */
export function serveApiDocument(
  app: NestFastifyApplication,
  options: { title: string; description: string; dtos: DeclaredRoutes['dtos'] },
): void {
  describeDtos(options.dtos);
  const description = `${options.description}

Errors are application/problem+json (RFC 9457) with a stable \`code\`. Writes take an \`Idempotency-Key\` and answer with a \`position\`; \
every call takes \`Assent-Min-Position\` with such positions and then answers only from read models that have applied them.`;
  const config = new DocumentBuilder()
    .setTitle(options.title)
    .setDescription(description)
    .setVersion('1')
    .addBearerAuth()
    .addSecurityRequirements('bearer')
    .addGlobalParameters({ name: 'Assent-Min-Position', in: 'header', required: false, schema: { type: 'string' } })
    .build();
  const document = SwaggerModule.createDocument(app, config);
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'openapi.json', raw: ['json'] });
}
