export { type AddCheckpoint, formatAddCheckpoint, parseAddCheckpoint } from './add-checkpoint.ts';
export { inclusionProofLength } from './arithmetic.ts';
export { type Checkpoint, formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.ts';
export { cosignatureSigner, cosignatureTimeS, cosignatureVerifier } from './cosignature.ts';
export { BUNDLE_BYTES_MAX, decodeBundle, encodeBundle } from './entry-bundle.ts';
export { type LogFormatCode, LogFormatError } from './errors.ts';
export { EMPTY_ROOT, type Hash, HASH_BYTES, leafHash, nodeHash, sameHash, sha256 } from './hashing.ts';
export {
  formatKeyStatement,
  type KeyStatement,
  openKeyStatement,
  statementName,
  statementPath,
} from './key-statement.ts';
export {
  type DecodedLeaf,
  decodeLeaf,
  encodeLeaf,
  ENTRY_BYTES_MAX,
  type KafkaRecord,
  type KafkaRecordHeader,
  LEAF_ENCODING_VERSION,
  type LeafValue,
  valueKeptApart,
} from './leaf-encoding.ts';
export {
  COSIGNATURE,
  ed25519Signer,
  ed25519Verifier,
  formatNote,
  formatSignature,
  formatVerifierKey,
  keyFingerprint,
  NOTE_BYTES_MAX,
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  parseVerifierKey,
  rawPublicKey,
  readNote,
  readSignatures,
  signNote,
  verifiedSignatures,
} from './signed-note.ts';
export { TileTree, type TileReader } from './tile-tree.ts';
export {
  bundlePath,
  decodeTile,
  encodeTile,
  hashesAtLevel,
  indexedPath,
  parseIndexedPath,
  parseTilePath,
  type Tile,
  TILE_WIDTH,
  tileAt,
  tilePath,
  type TileResource,
  tilesOf,
} from './tiles.ts';
export { parsePolicy, POLICY_BYTES_MAX, type PolicyLog, type PolicyWitness, type TlogPolicy } from './tlog-policy.ts';
export { formatTlogProof, parseTlogProof, PROOF_HASHES_MAX, type TlogProof } from './tlog-proof.ts';
export { rootOfHashes, type TileBytes, TreeBuilder } from './tree-builder.ts';
export { verifyConsistency, verifyInclusion } from './verify-proofs.ts';
