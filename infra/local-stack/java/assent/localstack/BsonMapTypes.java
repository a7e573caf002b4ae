package assent.localstack;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.ValueComparator;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * How documents and keys lie in the store's maps: as BSON, ordered as MongoDB orders values. H2's own fallback
 * serialises both keys with Java at every comparison.
 */
final class BsonMapTypes {

    static final BasicDataType<Document> DOCUMENT = new DocumentType();
    /** A value of `_id`, or Missing where a document has none. */
    static final BasicDataType<Object> ID = new IdType();
    static final BasicDataType<KeyValue> INDEX_KEY = new IndexKeyType();

    private static final Comparator<Object> ORDER = ValueComparator.ascWithoutListHandling();
    private static final int BYTES_PER_OBJECT = 64;
    private static final String FIELD = "v";
    private static final ThreadLocal<ByteBuf> SCRATCH = ThreadLocal.withInitial(Unpooled::buffer);

    private BsonMapTypes() {
    }

    private static int compareValues(Object a, Object b) {
        if (a instanceof String && b instanceof String) {
            return ((String) a).compareTo((String) b);
        }
        return ORDER.compare(a, b);
    }

    private static void writeBson(WriteBuffer out, Document document) {
        ByteBuf bson = SCRATCH.get().clear();
        BsonEncoder.encodeDocument(document, bson);
        out.putVarInt(bson.readableBytes());
        out.put(bson.array(), bson.arrayOffset(), bson.readableBytes());
    }

    private static Document readBson(ByteBuffer in) {
        byte[] bson = new byte[DataUtils.readVarInt(in)];
        in.get(bson);
        return BsonDecoder.decodeBson(Unpooled.wrappedBuffer(bson));
    }

    private static Document wrap(Object value) {
        return value instanceof Missing ? new Document() : new Document(FIELD, value);
    }

    private static Object unwrap(Document document) {
        return document.containsKey(FIELD) ? document.get(FIELD) : Missing.getInstance();
    }

    private static final class DocumentType extends BasicDataType<Document> {
        @Override
        public int getMemory(Document document) {
            return BYTES_PER_OBJECT * (1 + document.size());
        }

        @Override
        public void write(WriteBuffer out, Document document) {
            writeBson(out, document);
        }

        @Override
        public Document read(ByteBuffer in) {
            return readBson(in);
        }

        @Override
        public Document[] createStorage(int size) {
            return new Document[size];
        }
    }

    private static final class IdType extends BasicDataType<Object> {
        @Override
        public int getMemory(Object id) {
            return BYTES_PER_OBJECT;
        }

        @Override
        public int compare(Object a, Object b) {
            return compareValues(a, b);
        }

        @Override
        public void write(WriteBuffer out, Object id) {
            writeBson(out, wrap(id));
        }

        @Override
        public Object read(ByteBuffer in) {
            return unwrap(readBson(in));
        }

        @Override
        public Object[] createStorage(int size) {
            return new Object[size];
        }
    }

    private static final class IndexKeyType extends BasicDataType<KeyValue> {
        @Override
        public int getMemory(KeyValue key) {
            return BYTES_PER_OBJECT * (1 + key.size());
        }

        @Override
        public int compare(KeyValue a, KeyValue b) {
            for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
                int order = compareValues(a.get(i), b.get(i));
                if (order != 0) {
                    return order;
                }
            }
            return Integer.compare(a.size(), b.size());
        }

        @Override
        public void write(WriteBuffer out, KeyValue key) {
            out.putVarInt(key.size());
            key.forEach(value -> writeBson(out, wrap(value)));
        }

        @Override
        public KeyValue read(ByteBuffer in) {
            int size = DataUtils.readVarInt(in);
            List<Object> values = new ArrayList<>(size);
            for (int i = 0; i < size; i++) {
                values.add(unwrap(readBson(in)));
            }
            return new KeyValue(values);
        }

        @Override
        public KeyValue[] createStorage(int size) {
            return new KeyValue[size];
        }
    }
}
