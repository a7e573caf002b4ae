import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { LogFormatError } from '@assent/merkle-log';
import { verifyAuditFolder, type VerifyProgress, type VerifyResult } from './verify-audit-folder.ts';

/** Exit codes, for scripts. */
export const VERIFY_EXIT = { ok: 0, faults: 1, usage: 2 } as const;

/** Where the words go. */
export interface VerifyIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Colours and one line for each log are for terminals. */
  readonly isTty: boolean;
  /** Milliseconds of a clock that never goes back. */
  monotonicMs(): number;
}

const USAGE = `Usage: ./assent verify <folder> [--key <key>] [--json] [--report <file>]

Verifies an exported audit folder with nothing but the folder.

  --key <key>      the key to trust, got by another way than the folder: its SHA-256
                   fingerprint (64 hex digits), or a verifier key line
  --json           prints the result as JSON instead of words
  --report <file>  writes the result as JSON to a file as well

Exit code 0: no faults. 1: faults. 2: the command cannot be understood.
`;

/** Runs the command; answers the exit code. Never throws for anything that is wrong with the folder. */
export async function runVerify(argv: readonly string[], io: VerifyIo): Promise<number> {
  const options = parse(argv);
  if (options === undefined) {
    io.stderr(USAGE);
    return VERIFY_EXIT.usage;
  }
  const paint = painter(io.isTty);
  const startedMs = io.monotonicMs();
  let result: VerifyResult;
  try {
    result = await verifyAuditFolder({
      folder: options.folder,
      ...(options.key === undefined ? {} : { publicKey: options.key }),
      onProgress: (progress) => {
        if (!options.json) io.stdout(progressLine(progress, paint));
      },
    });
  } catch (error) {
    if (!(error instanceof LogFormatError)) throw error;
    io.stderr(`--key: ${error.message}\n\n${USAGE}`);
    return VERIFY_EXIT.usage;
  }
  const json = `${JSON.stringify(result, undefined, 2)}\n`;
  if (options.report !== undefined) await writeFile(options.report, json);
  io.stdout(options.json ? json : summary(result, io.monotonicMs() - startedMs, paint));
  return result.ok ? VERIFY_EXIT.ok : VERIFY_EXIT.faults;
}

interface VerifyArguments {
  readonly folder: string;
  readonly key: string | undefined;
  readonly json: boolean;
  readonly report: string | undefined;
}

function parse(argv: readonly string[]): VerifyArguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { key: { type: 'string' }, json: { type: 'boolean', default: false }, report: { type: 'string' } },
    });
    const [folder, ...rest] = positionals;
    if (folder === undefined || rest.length > 0) return undefined;
    return { folder, key: values.key, json: values.json, report: values.report };
  } catch {
    return undefined;
  }
}

type Paint = (colour: 'good' | 'bad' | 'loud', text: string) => string;

function painter(isTty: boolean): Paint {
  const codes = { good: '32', bad: '31', loud: '33;1' };
  return (colour, text) => (isTty ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text);
}

function progressLine({ log, leaves, faults }: VerifyProgress, paint: Paint): string {
  const mark = faults === 0 ? paint('good', '✓') : paint('bad', '✗');
  const counted = `${leaves} ${leaves === 1 ? 'leaf' : 'leaves'}`;
  return `${mark} ${log}  ${counted}${faults === 0 ? '' : paint('bad', `  ${faults} ${faults === 1 ? 'fault' : 'faults'}`)}\n`;
}

function summary(result: VerifyResult, tookMs: number, paint: Paint): string {
  const { checked, faults, faultsNotListed, notes, key } = result;
  const lines = faults.map(({ code, where, text }) => `${paint('bad', 'fail')} ${code}  ${where}\n     ${text}`);
  if (faultsNotListed > 0) lines.push(`${paint('bad', 'fail')} and ${faultsNotListed} more faults like these`);
  lines.push(...notes.map((note) => `note ${note}`));
  lines.push(
    '',
    `${checked.logs} logs, ${checked.leaves} leaves, ${checked.entries} entries hashed anew, ${checked.tiles} tiles, ${checked.checkpoints} signatures, ${checked.events} events, ${checked.attempts} attempts; ${(checked.bytes / 1_000_000).toFixed(1)} MB in ${(tookMs / 1_000).toFixed(2)} s`,
    ...keyLines(key, paint),
    result.ok ? paint('good', 'OK: no faults') : paint('bad', `FAILED: ${faults.length + faultsNotListed} faults`),
    '',
  );
  return lines.join('\n');
}

function keyLines(key: VerifyResult['key'], paint: Paint): string[] {
  if (key === undefined) return [];
  const shown = key.fingerprints.map((fingerprint) => `key ${fingerprint}`);
  if (key.pinned) return [...shown, 'The signatures are by the key you gave.'];
  return [
    ...shown,
    paint('loud', 'This key comes from the folder itself. Compare the fingerprint with one you got another way,'),
    paint('loud', 'or give it with --key: without that, the folder is consistent, but it may be anybody’s.'),
  ];
}
