import type { KeyChain } from '../check-keys/key-chain.ts';
import type { SignedRoot } from '../check-tree/walk-leaves.ts';
import type { Findings } from '../findings/findings.ts';
import { sameBytes } from '../merkle/hashes.ts';
import type { Checkpoint } from '../notes/checkpoint.ts';
import type { LastSeen } from './state-folder.ts';

/** A signed state of a log that was seen before, or elsewhere. */
export interface SeenCheckpoint {
  /** `heads` or the name of another log. */
  readonly log: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Where it was seen, for people. */
  readonly seen: string;
}

/**
 * What an earlier run saw of this installation. The key seen last has to be in the chain still: a fault when it is not,
 * because a key that was retired, or stolen, can sign a log of its own, and is the one the caller named maybe. Only when
 * the caller names a key that no earlier run saw is this another installation under an old name; undefined then.
 */
export function seenBefore(
  last: LastSeen,
  chain: KeyChain,
  named: string | undefined,
  path: string,
  findings: Findings,
): SeenCheckpoint[] | undefined {
  const newest = last.fingerprints.at(-1) ?? '';
  if (!chain.fingerprints.includes(newest)) {
    const what = `${chain.origin} was seen with the key ${newest} on ${last.at}`;
    const isNew = named !== undefined && chain.fingerprints.includes(named) && !last.fingerprints.includes(named);
    if (isNew) {
      findings.note(`${what}; you named another key, so this is taken as another installation`);
      return undefined;
    }
    const text = `${what}, and nothing signed says that another key follows it. If you know why, give a key that it was not seen with as --key, or remove ${path}`;
    findings.fault('key-changed', { log: 'manifest.json' }, text);
  }
  return Object.entries(last.logs).map(([log, { size, root }]) => {
    return { log, size, root: Buffer.from(root, 'base64'), seen: `the log as it was verified on ${last.at}` };
  });
}

/** Roots that a log has to give because they were seen; what cannot be so is a fault at once. */
export function rootsSeen(
  seen: readonly SeenCheckpoint[],
  log: string,
  present: Pick<Checkpoint, 'size' | 'root'>,
  findings: Findings,
): Map<number, SignedRoot> {
  const roots = new Map<number, SignedRoot>();
  for (const before of seen) {
    if (before.log !== log) continue;
    const place = { log, size: before.size };
    const known = roots.get(before.size);
    if (before.size > present.size) {
      const text = `it has ${present.size} leaves now, and had ${before.size} in ${before.seen}: it was cut or rewound, or this is an older copy`;
      findings.fault('log-rewound', place, text);
    } else if (
      (before.size === present.size && !sameBytes(before.root, present.root)) ||
      (known !== undefined && !sameBytes(known.root, before.root))
    ) {
      findings.fault(
        'history-differs',
        place,
        `its root is another one in ${before.seen}: the log was forked or rewritten`,
      );
    } else if (before.size < present.size) roots.set(before.size, { root: before.root, seen: before.seen });
  }
  return roots;
}
