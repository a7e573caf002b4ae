import { join } from 'node:path';
import { readdir } from 'node:fs/promises';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { NEW_ID, type NewId, Problem, RUNTIME_CONFIG } from '@assent/service-runtime';
import type { AuditConfig } from '../config.ts';
import { PUBLIC_FOLDER } from '../merkle-logs/log-layout.ts';
import { PublishedLogs } from '../merkle-logs/published-logs.ts';
import { exportFolder } from './export-folder.ts';

const EXPORTS_FOLDER = 'exports';
/** Exports that are kept at the same time: each holds on to files the logs have let go of. A person removes them. */
const EXPORTS_MAX = 20;

export interface Exported {
  /** Below AUDIT_DATA_DIR. */
  readonly folder: string;
  readonly files: number;
  /** What the auditor compares with a fingerprint got by another way. */
  readonly keyFingerprint: string;
}

/** Makes a folder that `./assent verify` checks without this service. */
export class ExportLogs {
  readonly kind = 'export-logs';
}

@CommandHandler(ExportLogs)
export class ExportLogsHandler implements ICommandHandler<ExportLogs, Exported> {
  constructor(
    @Inject(RUNTIME_CONFIG) private readonly config: Pick<AuditConfig, 'AUDIT_DATA_DIR'>,
    @Inject(NEW_ID) private readonly newId: NewId,
    @Inject(PublishedLogs) private readonly logs: PublishedLogs,
  ) {}

  async execute(): Promise<Exported> {
    const root = this.config.AUDIT_DATA_DIR;
    const there = await readdir(join(root, EXPORTS_FOLDER)).catch(() => []);
    if (there.length >= EXPORTS_MAX) {
      throw new Problem({
        status: 409,
        code: 'too-many-exports',
        title: 'There are too many exports',
        detail: `Remove some of the ${EXPORTS_MAX} exports below the audit service's data folder first.`,
      });
    }
    const folder = `${EXPORTS_FOLDER}/${this.newId()}`;
    const files = await exportFolder(join(root, PUBLIC_FOLDER), join(root, folder));
    return { folder, files, keyFingerprint: this.logs.keyFingerprint };
  }
}
