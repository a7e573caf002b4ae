import { runService } from '@assent/service-runtime';
import { AuditModule } from './audit.module.ts';
import { AuditConfig } from './config.ts';

await runService({
  name: 'audit',
  configClass: AuditConfig,
  module: AuditModule,
  title: 'Assent audit',
  description: 'The Merkle log of every record, its proofs, and why a dispatch left or did not.',
});
