import { runService } from '@assent/service-runtime';
import { SuppressionConfig } from './config.ts';
import { SuppressionModule } from './suppression.module.ts';

await runService({
  name: 'suppression',
  configClass: SuppressionConfig,
  module: SuppressionModule,
  title: 'Assent suppression',
  description: 'Does anything forbid contacting this address, in this scope?',
});
