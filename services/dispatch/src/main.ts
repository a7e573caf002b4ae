import { runService } from '@assent/service-runtime';
import { DispatchConfig } from './config.ts';
import { DispatchModule } from './dispatch.module.ts';

await runService({
  name: 'dispatch',
  configClass: DispatchConfig,
  module: DispatchModule,
  title: 'Assent dispatch',
  description: 'Decides whether a message may leave, at the moment it would leave.',
});
