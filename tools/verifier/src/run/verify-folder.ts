import { tmpdir } from 'node:os';
import { parsePin } from '../check-keys/key-chain.ts';
import { FolderSource } from '../sources/folder-source.ts';
import { SourceError } from '../sources/source.ts';
import { verifyAuditLog, type VerifyProgress, type VerifyResult } from '../verify-log/verify-audit-log.ts';
import { resultOf } from './no-source.ts';

export interface VerifyFolderOptions {
  /** The exported folder: `manifest.json`, `heads/` and `logs/` are directly in it. */
  readonly folder: string;
  /** Which key to trust, got by another way: a verifier key line, or the SHA-256 fingerprint of the raw key in hex. */
  readonly publicKey?: string;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

/**
 * Verifies an audit folder, remembering nothing of it.
 * @throws FormatError for a `publicKey` that is none, SpillError when temporary files cannot be kept; anything wrong with
 *   the folder is a fault
 */
export async function verifyFolder({ folder, publicKey, onProgress }: VerifyFolderOptions): Promise<VerifyResult> {
  const pin = publicKey === undefined ? undefined : parsePin(publicKey);
  try {
    return await verifyAuditLog({
      source: await FolderSource.open(folder),
      ...(pin === undefined ? {} : { pin }),
      ...(onProgress === undefined ? {} : { onProgress }),
      temporaryFolder: tmpdir(),
      now: () => new Date(),
      monotonicMs: () => performance.now(),
    });
  } catch (error) {
    if (error instanceof SourceError) return resultOf(folder, error);
    throw error;
  }
}
