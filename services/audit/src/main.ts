import { loadConfig, runService } from '@assent/service-runtime';
import { AuditModule } from './audit.module.ts';
import { AuditConfig } from './config.ts';
import { refillTopicCommand } from './refill-topic/refill-topic.command.ts';
import { makeSigningKeyCommand } from './rotate-key/make-signing-key.command.ts';

/** What an operator does beside the service; each answers what it did, for people. */
const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<string>>> = {
  'make-signing-key': (args) => makeSigningKeyCommand(args),
  'refill-topic': (args) => refillTopicCommand(loadConfig(AuditConfig, process.env), args),
};

const [name = '', ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command === undefined) {
  await runService({
    name: 'audit',
    configClass: AuditConfig,
    module: AuditModule,
    title: 'Assent audit',
    description: 'The Merkle log of every record, its proofs, and why a dispatch left or did not.',
  });
} else {
  try {
    process.stdout.write(`${await command(args)}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'Unknown error'}\n`);
    process.exitCode = 1;
  }
}
