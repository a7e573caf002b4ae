package assent.localstack;

import java.util.List;
import java.util.Locale;
import java.util.Set;

import org.h2.mvstore.MVStore;

import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;

/** The engine with what the drivers of today ask of a server, and with durable writes. */
final class StoreBackend extends H2Backend {

    /** MongoDB 5.0. The driver refuses servers below 9; the engine announces 8 although it does enough. */
    private static final int WIRE_VERSION = 13;

    /** Commands that change nothing. Everything else goes through the commit. */
    private static final Set<String> READS = Set.of("find", "getmore", "killcursors", "count", "distinct",
        "listcollections", "listindexes", "ping", "ismaster", "hello", "buildinfo", "serverstatus", "whatsmyuri",
        "endsessions", "getlog", "hostinfo", "connectionstatus", "getcmdlineopts", "getlasterror", "replsetgetstatus",
        "dbstats", "collstats", "validate");

    private final GroupCommit groupCommit;

    StoreBackend(MVStore store) {
        super(store);
        this.groupCommit = new GroupCommit(store);
    }

    @Override
    protected MongoDatabase openOrCreateDatabase(String name) {
        return new StoreDatabase(name, getMvStore(), getCursorRegistry());
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
        String name = command.toLowerCase(Locale.ROOT);
        if (name.equals("ismaster") || name.equals("hello")) {
            return handshake(channel, database, query);
        }
        if (READS.contains(name) || name.equals("aggregate") && !writes(query)) {
            return super.handleCommand(channel, database, command, query);
        }
        return groupCommit.run(() -> super.handleCommand(channel, database, command, query));
    }

    private Document handshake(Channel channel, String database, Document query) {
        Document answer = super.handleCommand(channel, database, "ismaster", query);
        answer.put("isWritablePrimary", Boolean.TRUE);
        answer.put("helloOk", Boolean.TRUE);
        answer.put("maxWireVersion", Integer.valueOf(WIRE_VERSION));
        return answer;
    }

    private static boolean writes(Document aggregate) {
        if (!(aggregate.get("pipeline") instanceof List)) {
            return true;
        }
        return ((List<?>) aggregate.get("pipeline")).stream()
            .anyMatch(stage -> ((Document) stage).containsKey("$out") || ((Document) stage).containsKey("$merge"));
    }
}
