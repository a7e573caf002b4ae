package assent.localstack;

import java.util.ArrayList;
import java.util.List;

import org.h2.mvstore.MVMap;

import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.ArrayFilters;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.Oplog;

/** A collection that narrows by a unique index before it filters, and never changes a document a reader may hold. */
final class StoreCollection extends H2Collection {

    /** Guarded by this collection's monitor, which every caller of queryDocuments holds. */
    private boolean changing;

    StoreCollection(MongoDatabase database, String name, CollectionOptions options, MVMap<Object, Document> data,
                    MVMap<String, Object> meta, CursorRegistry cursors) {
        super(database, name, options, data, meta, cursors);
    }

    /**
     * The engine uses an index only when the filter has exactly the index's keys, so `{_id, position: {$lt: n}}` would
     * scan. Here the part of the filter that an index answers picks the candidates and the whole filter decides.
     */
    @Override
    protected QueryResult queryDocuments(Document query, Document orderBy, int skip, int limit, int batchSize,
                                         Document projection) {
        QueryResult found = null;
        for (Index<Object> index : getIndexes()) {
            Document narrowed = narrow(query, index);
            if (narrowed != null && index.canHandle(narrowed)) {
                found = matchDocuments(query, index.getPositions(narrowed), orderBy, skip, limit, batchSize, projection);
                break;
            }
        }
        if (found == null) {
            found = matchDocuments(query, orderBy, skip, limit, batchSize, projection);
        }
        return changing ? copyOf(found) : found;
    }

    /** The engine changes documents in place, also while another thread encodes them for a reader: give it copies. */
    private static QueryResult copyOf(QueryResult result) {
        List<Document> copies = new ArrayList<>();
        result.forEach(document -> copies.add(document.cloneDeeply()));
        return new QueryResult(copies);
    }

    private static Document narrow(Document query, Index<Object> index) {
        Document narrowed = new Document();
        for (var key : index.getKeys()) {
            if (!query.containsKey(key.getKey())) {
                return null;
            }
            narrowed.put(key.getKey(), query.get(key.getKey()));
        }
        return narrowed;
    }

    @Override
    public synchronized Document updateDocuments(Document selector, Document update, ArrayFilters arrayFilters,
                                                 boolean multi, boolean upsert, Oplog oplog) {
        changing = true;
        try {
            return super.updateDocuments(selector, update, arrayFilters, multi, upsert, oplog);
        } finally {
            changing = false;
        }
    }

    @Override
    public synchronized Document findAndModify(Document query) {
        changing = true;
        try {
            return super.findAndModify(query);
        } finally {
            changing = false;
        }
    }

    /** Its counter would cost one more map write for every document written. */
    @Override
    protected boolean tracksDataSize() {
        return false;
    }
}
