import { CommandError, EXIT } from './command-error.ts';

interface Command {
  readonly usage: string;
  readonly says: string;
  /** Answers the exit code. Imported on demand: the tools of an image without development packages start too. */
  run(args: readonly string[]): Promise<number>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  demo: {
    usage: 'demo [--exit]',
    says: 'starts everything, plays the story of one STOP on it, verifies the audit log, stays up (or ends)',
    run: async (args) => (await import('./play-demo/play-demo.ts')).playDemo(args),
  },
  up: {
    usage: 'up',
    says: 'starts the platform: local stack, simulator, four services',
    run: async () => (await import('./start-platform/up-platform.ts')).upPlatform(),
  },
  down: {
    usage: 'down',
    says: 'ends it; data stays in .assent/',
    run: async () => (await import('./start-platform/up-platform.ts')).downPlatform(),
  },
  status: {
    usage: 'status',
    says: 'what runs, where, from which provider, and whether it answers',
    run: async () => (await import('./show-status/show-status.ts')).showStatus(),
  },
  test: {
    usage: 'test [step …] | --soak [--seed N] [--runs N] [--only NAME]',
    says: 'every check and every test, or only the steps named; --soak: seeded runs under crashes, pauses and lag',
    run: async (args) => {
      const { runChecks, runSoakOnly } = await import('./run-checks/run-checks.ts');
      return args[0] === '--soak' ? runSoakOnly(args.slice(1)) : runChecks(args);
    },
  },
  bench: {
    usage: 'bench [name …] [--rounds N] [--trial]',
    says: 'measures against bare baselines and rewrites docs/benchmarks.md',
    run: async (args) => (await import('./run-benches/run-benches.ts')).runBenches(args),
  },
  verify: {
    usage: 'verify <folder | URL | proof file> [options]',
    says: 'checks an audit log, or one proof, with nothing else running; without arguments it says more',
    run: async (args) => {
      const { processIo, runVerify } = await import('@assent/verifier');
      // The launcher works in the repository; the folder is named from where the person is.
      process.chdir(process.env['ASSENT_CALLED_FROM'] ?? process.cwd());
      return runVerify(args, processIo());
    },
  },
  explain: {
    usage: 'explain <dispatchId>',
    says: 'why a message left or did not, with its proofs checked',
    run: async (args) => (await import('./explain-dispatch/explain-dispatch.ts')).explainDispatch(args),
  },
  rules: {
    usage: 'rules explain --phone <number> | rules diff <a> <b>',
    says: 'when a message may reach a number, by which rules and sources; what two rule sets differ in',
    run: async (args) => {
      const { runRules } = await import('./explain-rules/run-rules.ts');
      // The launcher works in the repository; files are named from where the person is.
      process.chdir(process.env['ASSENT_CALLED_FROM'] ?? process.cwd());
      return runRules(args, {
        stdout: (text) => process.stdout.write(text),
        isColoured: usesColour(),
        now: () => Date.now(),
      });
    },
  },
  rebuild: {
    usage: 'rebuild <service>',
    says: 'drops and replays the read models of a service and compares the digests',
    run: async (args) => (await import('./rebuild-read-models/rebuild-read-models.ts')).rebuildReadModels(args),
  },
  replay: {
    usage: 'replay <service>',
    says: 'folds the parked keys of a service anew, after what made them poison was mended',
    run: async (args) => (await import('./replay-parked-keys/replay-parked-keys.ts')).replayParkedKeys(args),
  },
  'provision-topics': {
    usage: 'provision-topics',
    says: 'creates the declared topics that are missing',
    run: async () => (await import('./provision-topics/provision-topics.ts')).provisionDeclaredTopics(),
  },
};

/** The supervisor of `up` and `demo`; not for people. */
const SUPERVISOR = 'keep-platform';

function help(): string {
  const width = Math.max(...Object.values(COMMANDS).map(({ usage }) => usage.length));
  const shown = Object.values(COMMANDS).map(({ usage, says }) =>
    usage.length > 24 ? `  ${usage}\n  ${' '.repeat(Math.min(width, 24))}  ${says}` : `  ${usage.padEnd(24)}  ${says}`,
  );
  return `Usage: ./assent <command>\n\n${shown.join('\n')}\n\nPorts: consent 4001, suppression 4002, dispatch 4003, audit 4004, WhatsApp simulator 4010.`;
}

/** Colour on terminals only, and not where NO_COLOR asks for none (no-color.org). */
function usesColour(): boolean {
  return process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
}

async function run([name = 'help', ...args]: readonly string[]): Promise<number> {
  if (name === 'help' || name === '--help' || name === '-h') {
    console.log(help());
    return EXIT.ok;
  }
  if (name === SUPERVISOR) return (await import('./start-platform/keep-platform.ts')).keepPlatform(args);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new CommandError(`There is no command ${name}.\n\n${help()}`, EXIT.usage);
  if (args.includes('--help') || args.includes('-h')) {
    console.log(`Usage: ./assent ${command.usage}\n${command.says}`);
    return EXIT.ok;
  }
  return command.run(args);
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommandError) {
    console.error(error.message);
    // What was under way when it was interrupted has nobody to wait for it.
    if (error.exitCode === EXIT.interrupted) process.exit(error.exitCode);
    process.exitCode = error.exitCode;
  } else {
    console.error(error instanceof Error ? (error.stack ?? error.message) : error);
    process.exitCode = EXIT.failed;
  }
}
