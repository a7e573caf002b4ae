export { inclusionProofLength } from './arithmetic.ts';
export { type Checkpoint, formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.ts';
export { BUNDLE_BYTES_MAX, decodeBundle, encodeBundle } from './entry-bundle.ts';
export { type LogFormatCode, LogFormatError } from './errors.ts';
export { EMPTY_ROOT, type Hash, HASH_BYTES, leafHash, nodeHash, sameHash, sha256 } from './hashing.ts';
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
  ed25519Signer,
  ed25519Verifier,
  formatVerifierKey,
  keyFingerprint,
  NOTE_BYTES_MAX,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  parseVerifierKey,
  rawPublicKey,
  signNote,
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
export { rootOfHashes, type TileBytes, TreeBuilder } from './tree-builder.ts';
export { verifyConsistency, verifyInclusion } from './verify-proofs.ts';
