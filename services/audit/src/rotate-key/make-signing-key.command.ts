import { LogKey } from '../merkle-logs/log-key.ts';
import { MerkleLogError } from '../merkle-logs/merkle-logs.errors.ts';

/** The operator's command: makes a key that is to follow the present one, and says what to do with it. */
export async function makeSigningKeyCommand([file]: readonly string[]): Promise<string> {
  if (file === undefined) throw new MerkleLogError('signing-key-unusable', 'Usage: make-signing-key <new file>');
  if (!(await LogKey.create(file))) throw new MerkleLogError('signing-key-unusable', `${file} is there already`);
  const { fingerprint } = await LogKey.load(file, false);
  return [
    `Made ${file}. Fingerprint: ${fingerprint}`,
    '1. Give auditors the fingerprint by another way than this service.',
    `2. Set AUDIT_NEXT_SIGNING_KEY_FILE=${file} on every instance and restart them: both keys sign from then on.`,
    '3. After the overlap set AUDIT_SIGNING_KEY_FILE to it, unset AUDIT_NEXT_SIGNING_KEY_FILE, restart, and destroy the old key.',
  ].join('\n');
}
