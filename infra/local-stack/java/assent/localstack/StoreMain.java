package assent.localstack;

import java.net.InetSocketAddress;

import org.h2.mvstore.MVStore;

import de.bwaldvogel.mongo.MongoServer;

/** A development store that speaks MongoDB's protocol, on one file. */
public final class StoreMain {

    /** A writer's thread waits for its sync, so there must be more threads than writers or readers would wait too. */
    private static final int WORKER_THREADS = 64;

    private StoreMain() {
    }

    /** @param args file, port on 127.0.0.1. Prints `READY` and keeps running until SIGTERM or the parent's end. */
    public static void main(String[] args) {
        ParentWatch.start();
        try {
            serve(args[0], Integer.parseInt(args[1]));
        } catch (Exception reason) {
            // Netty throws a BindException undeclared, and its threads would keep a JVM alive that serves nothing.
            System.err.println(reason);
            System.exit(1);
        }
    }

    private static void serve(String file, int port) {
        MVStore store = new MVStore.Builder().fileName(file).autoCommitDisabled().open();
        // Space of replaced chunks is reused at once; otherwise the file grows by 23 KB with every write.
        store.setRetentionTime(0);
        MongoServer server = new MongoServer(new StoreBackend(store));
        server.bind(new InetSocketAddress("127.0.0.1", port), 1, WORKER_THREADS);
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow, "shutdown"));
        System.out.println("READY");
    }
}
