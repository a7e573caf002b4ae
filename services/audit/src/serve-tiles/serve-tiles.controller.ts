import { Controller, Get, Header, Inject, Param } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, Problem, Roles, RUNTIME_CONFIG } from '@assent/service-runtime';
import type { AuditConfig } from '../config.ts';
import { ReadFolderFile } from './read-folder-file.query.ts';
import { type AskedLog, ReadTile } from './read-tile.query.ts';

const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';
/** A tile never changes. Private: it is for callers with a role. */
const IMMUTABLE = 'private, max-age=31536000, immutable';

/**
 * The logs as C2SP tlog-tiles. Hash tiles and checkpoints say nothing about anybody; entry bundles hold the records of
 * every controller (sealed, under pseudonyms), so they are for the tenants that AUDIT_ENTRIES_TENANTS names.
 */
@ApiTags('logs')
@ApiBearerAuth()
@Controller()
@Roles('auditor', 'admin')
export class ServeTilesController {
  constructor(
    @Inject(QueryBus) private readonly queries: QueryBus,
    @Inject(RUNTIME_CONFIG) private readonly config: Pick<AuditConfig, 'AUDIT_ENTRIES_TENANTS'>,
  ) {}

  @Get('logs/:topic/:partition/checkpoint')
  @Header('content-type', TEXT)
  @ApiOperation({ summary: 'The signed checkpoint of a log' })
  async checkpoint(@Param('topic') topic: string, @Param('partition') partition: string): Promise<string> {
    const asked = new ReadTile({ topic, partition: partitionOf(partition) }, 'checkpoint');
    const bytes = await this.queries.execute<ReadTile, Uint8Array>(asked);
    return Buffer.from(bytes).toString('utf8');
  }

  @Get('logs/:topic/:partition/tile/*')
  @Header('content-type', BYTES)
  @Header('cache-control', IMMUTABLE)
  @ApiOperation({ summary: 'A tile or an entry bundle of a log' })
  tile(
    @Param('topic') topic: string,
    @Param('partition') partition: string,
    @Param() params: Readonly<Record<string, string>>,
    @CurrentCaller() caller: Caller,
  ): Promise<Buffer> {
    return this.read({ topic, partition: partitionOf(partition) }, params, caller);
  }

  @Get('logs/:topic/:partition/offsets/*')
  @Header('content-type', BYTES)
  @Header('cache-control', IMMUTABLE)
  @ApiOperation({ summary: 'A piece of the offset index of a log' })
  offsets(
    @Param('topic') topic: string,
    @Param('partition') partition: string,
    @Param() params: Readonly<Record<string, string>>,
  ): Promise<Buffer> {
    return this.bytes({ topic, partition: partitionOf(partition) }, `offsets/${params['*'] ?? ''}`);
  }

  @Get('logs/:topic/:partition/value/:sha256')
  @Header('content-type', BYTES)
  @Header('cache-control', IMMUTABLE)
  @ApiOperation({ summary: 'A value that an entry gives by hash' })
  value(
    @Param('topic') topic: string,
    @Param('partition') partition: string,
    @Param('sha256') sha256: string,
    @CurrentCaller() caller: Caller,
  ): Promise<Buffer> {
    this.assertMayReadEntries(caller);
    return this.bytes({ topic, partition: partitionOf(partition) }, `value/${sha256}`);
  }

  @Get('heads/cosigned-checkpoint')
  @Header('content-type', TEXT)
  @ApiOperation({ summary: 'The newest head that reached the quorum of witnesses' })
  async cosignedHead(): Promise<string> {
    return (await this.bytes('heads', 'cosigned-checkpoint')).toString('utf8');
  }

  @Get('manifest.json')
  @Header('content-type', 'application/json; charset=utf-8')
  @ApiOperation({ summary: 'Origin and keys of the logs' })
  manifest(): Promise<string> {
    return this.file('manifest.json');
  }

  @Get('keys/:name')
  @Header('content-type', TEXT)
  @ApiOperation({ summary: 'The statement of a key about the one that follows it' })
  keyStatement(@Param('name') name: string): Promise<string> {
    return this.file(`keys/${name}`);
  }

  @Get('witness-policy')
  @Header('content-type', TEXT)
  @ApiOperation({ summary: 'The trust policy by which witnesses are asked' })
  witnessPolicy(): Promise<string> {
    return this.file('witness-policy');
  }

  @Get('heads/checkpoint')
  @Header('content-type', TEXT)
  @ApiOperation({ summary: 'The signed head that binds all logs' })
  async head(): Promise<string> {
    return Buffer.from(await this.queries.execute<ReadTile, Uint8Array>(new ReadTile('heads', 'checkpoint'))).toString(
      'utf8',
    );
  }

  @Get('heads/tile/*')
  @Header('content-type', BYTES)
  @Header('cache-control', IMMUTABLE)
  @ApiOperation({ summary: 'A tile or an entry bundle of the log of heads' })
  headTile(@Param() params: Readonly<Record<string, string>>): Promise<Buffer> {
    return this.read('heads', params);
  }

  private async read(log: AskedLog, params: Readonly<Record<string, string>>, caller?: Caller): Promise<Buffer> {
    const path = params['*'] ?? '';
    if (caller !== undefined && path.startsWith('entries/')) this.assertMayReadEntries(caller);
    return this.bytes(log, `tile/${path}`);
  }

  private async bytes(log: AskedLog, resource: string): Promise<Buffer> {
    return Buffer.from(await this.queries.execute<ReadTile, Uint8Array>(new ReadTile(log, resource)));
  }

  private file(path: string): Promise<string> {
    return this.queries.execute<ReadFolderFile, string>(new ReadFolderFile(path));
  }

  private assertMayReadEntries({ tenant }: Caller): void {
    if (this.config.AUDIT_ENTRIES_TENANTS.includes(tenant)) return;
    throw new Problem({
      status: 403,
      code: 'entries-of-all-tenants',
      title: 'Not allowed',
      detail: 'Entry bundles hold the records of every controller; this token is of a tenant that may not read them.',
    });
  }
}

function partitionOf(text: string): number {
  return /^(0|[1-9]\d{0,9})$/.test(text) ? Number(text) : Number.NaN;
}
