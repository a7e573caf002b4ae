import { runService } from '@assent/service-runtime';
import { ConsentConfig } from './config.ts';
import { ConsentModule } from './consent.module.ts';

await runService({
  name: 'consent',
  configClass: ConsentConfig,
  module: ConsentModule,
  title: 'Assent consent',
  description: 'Captures who agreed to what, and who withdrew; receives every WhatsApp webhook.',
});
