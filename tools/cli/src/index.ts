export { openWorld } from './play-demo/open-world.ts';
export { ADA, BEN } from './play-demo/cast.ts';
export { optInByButton, optInOnPage } from './play-demo/opt-in-steps.ts';
export { publishNotice, registerSender } from './play-demo/prepare-steps.ts';
export { writeStop } from './play-demo/stop-steps.ts';
export type { World } from './play-demo/step.ts';
export { type Platform, type PlatformSettings, startPlatform } from './start-platform/start-platform.ts';
