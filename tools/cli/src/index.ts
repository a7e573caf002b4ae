export { openWorld } from './play-demo/open-world.ts';
export { ADA, BEN } from './play-demo/cast.ts';
export { optInByButton, optInOnPage } from './play-demo/opt-in-steps.ts';
export { publishNotice, registerSender } from './play-demo/prepare-steps.ts';
export { writeStop } from './play-demo/stop-steps.ts';
export type { World } from './play-demo/step.ts';
export {
  auditFolderOf,
  callLogOf,
  processEnvironment,
  type ProcessAddresses,
  type ProcessName,
  REPOSITORY,
  scriptOf,
  type ServiceName,
  SERVICES,
} from './start-platform/platform-processes.ts';
export { answersOk, type Platform, type PlatformSettings, startPlatform } from './start-platform/start-platform.ts';
