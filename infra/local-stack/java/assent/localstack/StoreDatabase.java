package assent.localstack;

import java.util.List;

import org.h2.mvstore.FileStore;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.AbstractSynchronizedMongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.Oplog;

/**
 * A database in typed maps of the store. Not a subclass of the engine's H2Database: that one opens its maps without types
 * in its constructor, and dropping database `a` there drops the maps of `ab` too.
 */
final class StoreDatabase extends AbstractSynchronizedMongoDatabase<Object> {

    /** The engine's H2Backend looks for this prefix to find the databases of an existing file. */
    private static final String DATA_PREFIX = "databases.";
    private static final String META_PREFIX = "meta.";
    private static final String INDEX_PREFIX = "index.";

    private final MVStore store;

    StoreDatabase(String name, MVStore store, CursorRegistry cursors) {
        super(name, cursors);
        this.store = store;
        initializeNamespacesAndIndexes();
    }

    @Override
    protected MongoCollection<Object> openOrCreateCollection(String name, CollectionOptions options) {
        return new StoreCollection(this, name, options, dataMap(name), metaMap(name), cursorRegistry);
    }

    @Override
    protected Index<Object> openOrCreateUniqueIndex(String collection, String name, List<IndexKey> keys,
                                                    boolean sparse) {
        MVMap<KeyValue, Object> map = store.openMap(indexMapName(collection, name),
            new MVMap.Builder<KeyValue, Object>().keyType(BsonMapTypes.INDEX_KEY).valueType(BsonMapTypes.ID));
        return new StoreIndex(map, name, keys, sparse);
    }

    @Override
    protected void dropIndex(MongoCollection<Object> collection, String name) {
        super.dropIndex(collection, name);
        store.removeMap(indexMapName(collection.getCollectionName(), name));
    }

    @Override
    public void dropCollection(String name, Oplog oplog) {
        super.dropCollection(name, oplog);
        store.removeMap(dataMap(name));
        store.removeMap(metaMap(name));
    }

    @Override
    public void drop(Oplog oplog) {
        super.drop(oplog);
        String data = DATA_PREFIX + getDatabaseName() + ".";
        String meta = META_PREFIX + getDatabaseName() + ".";
        String index = INDEX_PREFIX + getDatabaseName() + ".";
        store.getMapNames().stream()
            .filter(name -> name.startsWith(data) || name.startsWith(meta) || name.startsWith(index))
            .forEach(store::removeMap);
    }

    @Override
    public void moveCollection(MongoDatabase from, MongoCollection<?> collection, String newName) {
        throw new UnsupportedOperationException("renameCollection is not supported by the development engine");
    }

    @Override
    protected long getStorageSize() {
        FileStore<?> file = store.getFileStore();
        return file == null ? 0 : file.size();
    }

    @Override
    protected long getFileSize() {
        return getStorageSize();
    }

    private MVMap<Object, Document> dataMap(String collection) {
        return store.openMap(DATA_PREFIX + getFullCollectionNamespace(collection),
            new MVMap.Builder<Object, Document>().keyType(BsonMapTypes.ID).valueType(BsonMapTypes.DOCUMENT));
    }

    private MVMap<String, Object> metaMap(String collection) {
        return store.openMap(META_PREFIX + getFullCollectionNamespace(collection));
    }

    private String indexMapName(String collection, String name) {
        return INDEX_PREFIX + getFullCollectionNamespace(collection) + "/" + name;
    }
}
