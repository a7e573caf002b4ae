import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Problem } from '@assent/service-runtime';
import { PUBLIC_FOLDER } from '../merkle-logs/log-layout.ts';
import type { LogStore } from '../merkle-logs/log-store.ts';
import { LOG_STORE } from '../tokens.ts';

/** The small text files of the folder that belong to no log. */
const FILES = /^(manifest\.json|witness-policy|keys\/[0-9a-f]{8}\.note)$/;

/** `manifest.json`, `keys/<key id>.note` or `witness-policy`. */
export class ReadFolderFile {
  constructor(readonly path: string) {}
}

@QueryHandler(ReadFolderFile)
export class ReadFolderFileHandler implements IQueryHandler<ReadFolderFile, string> {
  constructor(@Inject(LOG_STORE) private readonly store: LogStore) {}

  async execute({ path }: ReadFolderFile): Promise<string> {
    const bytes = FILES.test(path) ? await this.store.read(`${PUBLIC_FOLDER}/${path}`) : undefined;
    if (bytes !== undefined) return Buffer.from(bytes).toString('utf8');
    throw new Problem({
      status: 404,
      code: 'no-such-file',
      title: 'There is no such file',
      detail: 'The audit folder has no such file.',
    });
  }
}
