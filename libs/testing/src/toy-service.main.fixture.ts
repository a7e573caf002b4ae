import { runService } from '@assent/service-runtime';
import { ToyConfig, ToyModule } from './toy-service.fixture.ts';

await runService({ name: 'toy', configClass: ToyConfig, module: ToyModule });
