import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { REPOSITORY } from '../start-platform/platform-processes.ts';

/** Runs tools/bench in a process of its own, so that what the command line has loaded is not measured. */
export async function runBenches(args: readonly string[]): Promise<number> {
  const program = join(REPOSITORY, 'tools', 'bench', 'dist', 'main.js');
  const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
