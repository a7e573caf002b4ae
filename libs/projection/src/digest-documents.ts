import { DocumentDigest } from './document-digest.ts';
import type { Fold } from './fold.ts';
import type { ProjectionStore, StoredDocument } from './projection-store.ts';

export interface DigestedDocuments {
  readonly digest: string;
  readonly documents: number;
  /** Per `topic/partition` the offset behind the highest position of a document. */
  readonly writtenUpTo: ReadonlyMap<string, number>;
}

/** Reads and digests every document once, `onEach` sees it too. Memory does not grow with them. */
export async function digestDocuments(
  store: ProjectionStore,
  folds: readonly Fold[],
  onEach: (collection: string, document: StoredDocument) => void = () => undefined,
): Promise<DigestedDocuments> {
  const digest = new DocumentDigest();
  const writtenUpTo = new Map<string, number>();
  for (const { collection, digestOmit } of folds) {
    for await (const document of store.scan(collection)) {
      digest.add(collection, document, digestOmit);
      const { _partition, _position } = document;
      if (Number.isSafeInteger(_position)) {
        writtenUpTo.set(_partition, Math.max(writtenUpTo.get(_partition) ?? 0, _position + 1));
      }
      onEach(collection, document);
    }
  }
  return { digest: digest.hex, documents: digest.documents, writtenUpTo };
}
