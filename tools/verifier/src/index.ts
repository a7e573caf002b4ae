export { processIo } from './run/process-io.ts';
export { runVerify } from './run/run-verify.ts';
export { verifyFolder } from './run/verify-folder.ts';
