package assent.localstack;

import java.util.function.Supplier;

import org.h2.mvstore.MVStore;

/**
 * One writer at a time, and no answer before the write is committed and synced. Writers that arrive during a sync share
 * the next one.
 */
final class GroupCommit {

    private final MVStore store;
    private final Object writeLock = new Object();
    /** Number of writes done; guarded by writeLock. */
    private long written;
    /** Number of writes known to be on the disk; guarded by this. */
    private long durable;
    /** Whether a writer is committing for all; guarded by this. */
    private boolean flushing;

    GroupCommit(MVStore store) {
        this.store = store;
    }

    /**
     * Runs a write and returns its answer when it is on the disk. A write that throws may have changed something before
     * it did, so that is made durable too before the error goes on.
     */
    <T> T run(Supplier<T> write) {
        long[] ticket = new long[1];
        try {
            synchronized (writeLock) {
                try {
                    return write.get();
                } finally {
                    ticket[0] = ++written;
                }
            }
        } finally {
            makeDurable(ticket[0]);
        }
    }

    private void makeDurable(long ticket) {
        synchronized (this) {
            while (flushing && durable < ticket) {
                waitForFlush();
            }
            if (durable >= ticket) {
                return;
            }
            flushing = true;
        }
        long covered = 0;
        try {
            covered = flush();
        } finally {
            synchronized (this) {
                flushing = false;
                durable = Math.max(durable, covered);
                notifyAll();
            }
        }
    }

    private void waitForFlush() {
        try {
            wait();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted before the write was durable", interrupted);
        }
    }

    private long flush() {
        long covered;
        synchronized (writeLock) {
            covered = written;
            store.commit();
        }
        store.sync();
        return covered;
    }
}
