import { readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { parsePin, type Pin } from '../check-keys/key-chain.ts';
import { seenInFiles } from '../check-proofs/proof-file.ts';
import { FormatError } from '../notes/format-error.ts';
import { utf8Of } from '../notes/signed-note.ts';
import { parsePolicy, type WitnessPolicy } from '../notes/witness-policy.ts';
import { StateError } from '../remember/on-disk.ts';
import { StateFolder } from '../remember/state-folder.ts';
import { plainPage } from '../report/plain-page.ts';
import { ProgressBar } from '../report/progress-bar.ts';
import { logLine, painter, summary } from '../report/summary.ts';
import { FolderSource } from '../sources/folder-source.ts';
import { ANSWER_TIMEOUT_MS, HttpSource } from '../sources/http-source.ts';
import { type Source, SourceError } from '../sources/source.ts';
import { SpillError } from '../spill/temporary-file.ts';
import { Interrupted, verifyAuditLog, type VerifyResult } from '../verify-log/verify-audit-log.ts';
import { VERIFY_EXIT } from './exit-codes.ts';
import { resultOf } from './no-source.ts';
import { verifyProof } from './verify-proof.ts';
import type { VerifyIo } from './verify-io.ts';

const USAGE = `Usage: verify <folder | URL | proof file> [options]

Verifies an audit log with nothing but the log: a folder that was exported, the tiles of a
running audit service or of any web server, or one proof (a .tlog-proof, a bundle, a receipt).

  --key <key>        the key to trust, got by another way than the log: its SHA-256
                     fingerprint (64 hex digits), or a verifier key line
  --policy <file>    which witnesses have to have signed the heads (a C2SP tlog-policy)
  --seen <file>      a checkpoint or proof that you got earlier or elsewhere: the log has to
                     contain it; may be given several times
  --binding <file>   with a .tlog-proof: its binding, which shows that all logs' head binds
                     that state, and brings the witnesses' signatures
  --state <folder>   where to remember what was seen and how far a run got
                     (default: assent-verify in your state folder)
  --no-state         remember nothing
  --token <token>    sent to the server as a bearer token (default: ASSENT_VERIFY_TOKEN)
  --timeout <s>      how long a server may take for one answer (default: ${ANSWER_TIMEOUT_MS / 1_000})
  --json             prints the result as JSON instead of words
  --report <file>    writes a page of plain English to a file, or JSON when its name ends in .json

Exit code 0: no faults. 1: faults. 2: the command cannot be understood.
3: not finished (the server cannot be reached, you stopped it, or what is to be remembered
cannot be kept); run it again to go on.
4: no faults, but there is something that this verifier could not judge; it is named.
`;

/** Longest time a server may be given for one answer, seconds. */
const TIMEOUT_S_MAX = 3_600;
const POLICY_BYTES_MAX = 65_536;

interface VerifyArguments {
  readonly target: string;
  readonly pin: Pin | undefined;
  readonly policy: WitnessPolicy | undefined;
  readonly seen: readonly string[];
  readonly binding: string | undefined;
  readonly stateFolder: string | undefined;
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly json: boolean;
  readonly report: string | undefined;
}

/** Runs the command; answers the exit code. Never throws for anything that is wrong with the log. */
export async function runVerify(argv: readonly string[], io: VerifyIo): Promise<number> {
  let options: VerifyArguments | undefined;
  try {
    options = await parse(argv, io);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    io.stderr(`${error.message}\n\n${USAGE}`);
    return VERIFY_EXIT.usage;
  }
  if (options === undefined) {
    io.stderr(USAGE);
    return VERIFY_EXIT.usage;
  }
  try {
    if (await isFile(options.target)) return await verifyProof(options.target, options, io);
    if (options.binding !== undefined) throw new FormatError('--binding: it goes with a .tlog-proof only');
    return await verify(options, io);
  } catch (error) {
    if (error instanceof Interrupted) {
      const how = options.stateFolder === undefined ? '' : ' Run the same command again to go on from there.';
      io.stderr(`Stopped before the end.${how}\n`);
      return VERIFY_EXIT.unfinished;
    }
    if (error instanceof SourceError) {
      io.stderr(`Not finished: ${error.message}. ${HINTS[error.code] ?? ''}\n`);
      return VERIFY_EXIT.unfinished;
    }
    if (error instanceof SpillError) {
      io.stderr(
        `Not finished: ${error.message}. Give --state <folder>, or TMPDIR with --no-state, on a disk with room.\n`,
      );
      return VERIFY_EXIT.unfinished;
    }
    if (error instanceof StateError) {
      io.stderr(`Not finished: ${error.message}. ${STATE_HINT}\n`);
      return VERIFY_EXIT.unfinished;
    }
    if (error instanceof FormatError) {
      io.stderr(`${error.message}\n`);
      return VERIFY_EXIT.usage;
    }
    throw error;
  }
}

const HINTS: Readonly<Partial<Record<SourceError['code'], string>>> = {
  'timed-out': 'Run it again to go on, with --timeout for a slower server.',
  unreadable: 'Is the server running? Run it again to go on.',
  refused: 'Does it want another --token, of a tenant that may read entries?',
};

const STATE_HINT =
  'Make room there, or let it be written to; or give --state <another folder>, or --no-state to remember nothing.';

async function verify(options: VerifyArguments, io: VerifyIo): Promise<number> {
  const paint = painter(io.isTty);
  const startedMs = io.monotonicMs();
  const bar = io.isTty && !options.json ? new ProgressBar(io.stderr.bind(io), io.monotonicMs.bind(io)) : undefined;
  const { pin, policy, seen, stateFolder } = options;
  let result: VerifyResult;
  let source: Source | undefined;
  try {
    source = await sourceOf(options);
    result = await verifyAuditLog({
      source,
      ...(pin === undefined ? {} : { pin }),
      ...(policy === undefined ? {} : { policy }),
      ...(stateFolder === undefined ? {} : { state: new StateFolder(stateFolder) }),
      temporaryFolder: stateFolder ?? tmpdir(),
      ...(io.signal === undefined ? {} : { signal: io.signal }),
      seen: (keys, findings) => seenInFiles(seen, keys, findings),
      onProgress: (progress) => {
        if (!progress.done) bar?.draw(progress);
        if (!progress.done || options.json) return;
        bar?.clear();
        io.stdout(logLine(progress, paint));
      },
      now: io.now.bind(io),
      monotonicMs: io.monotonicMs.bind(io),
    });
  } catch (error) {
    if (!(error instanceof SourceError) || isUrl(options.target)) throw error;
    result = resultOf(options.target, error);
  } finally {
    bar?.clear();
    source?.close();
  }
  const json = `${JSON.stringify(result, undefined, 2)}\n`;
  if (options.report !== undefined) {
    const page = options.report.endsWith('.json') ? json : plainPage(result, io.now().toISOString());
    await writeFile(options.report, page);
  }
  io.stdout(options.json ? json : summary(result, io.monotonicMs() - startedMs, paint));
  const { ok, faults, notRemembered } = result;
  if (notRemembered !== undefined) io.stderr(`Not remembered: ${notRemembered}. ${STATE_HINT}\n`);
  if (faults.length > 0) return VERIFY_EXIT.faults;
  if (!ok) return VERIFY_EXIT.unchecked;
  return notRemembered === undefined ? VERIFY_EXIT.ok : VERIFY_EXIT.unfinished;
}

/** @throws FormatError, SourceError */
async function sourceOf({ target, token, timeoutMs }: VerifyArguments): Promise<Source> {
  if (!isUrl(target)) return FolderSource.open(target);
  return new HttpSource(target, { timeoutMs, ...(token === undefined ? {} : { bearer: token }) });
}

function isUrl(target: string): boolean {
  return /^https?:\/\//.test(target);
}

async function isFile(path: string): Promise<boolean> {
  if (isUrl(path)) return false;
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/** @throws FormatError for an option's value that is not understood */
async function parse(argv: readonly string[], io: VerifyIo): Promise<VerifyArguments | undefined> {
  const parsed = parsedArguments(argv);
  const [target, ...rest] = parsed?.positionals ?? [];
  if (parsed === undefined || target === undefined || rest.length > 0) return undefined;
  const { values } = parsed;
  const timeoutS = values.timeout === undefined ? ANSWER_TIMEOUT_MS / 1_000 : Number(values.timeout);
  if (!(timeoutS > 0 && timeoutS <= TIMEOUT_S_MAX)) throw new FormatError('--timeout: this is no number of seconds');
  if (isUrl(target) && !URL.canParse(target)) throw new FormatError('this is not a URL');
  return {
    target,
    pin: values.key === undefined ? undefined : naming('--key', () => parsePin(values.key ?? '')),
    policy: values.policy === undefined ? undefined : await readPolicy(values.policy),
    seen: values.seen ?? [],
    binding: values.binding,
    stateFolder: values['no-state'] ? undefined : (values.state ?? io.stateFolder),
    token: values.token ?? io.token,
    timeoutMs: timeoutS * 1_000,
    json: values.json,
    report: values.report,
  };
}

function parsedArguments(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        key: { type: 'string' },
        policy: { type: 'string' },
        seen: { type: 'string', multiple: true },
        binding: { type: 'string' },
        state: { type: 'string' },
        'no-state': { type: 'boolean', default: false },
        token: { type: 'string' },
        timeout: { type: 'string' },
        json: { type: 'boolean', default: false },
        report: { type: 'string' },
      },
    });
  } catch {
    return undefined;
  }
}

async function readPolicy(path: string): Promise<WitnessPolicy> {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined || bytes.length > POLICY_BYTES_MAX) throw new FormatError('--policy: it cannot be read');
  return naming('--policy', () => parsePolicy(utf8Of(bytes)));
}

function naming<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`${option}: ${error.message}`) : error;
  }
}
