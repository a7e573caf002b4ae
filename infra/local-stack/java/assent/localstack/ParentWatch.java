package assent.localstack;

import java.io.IOException;

/** Ends this process when the process that started it is gone, however that one died. */
final class ParentWatch {

    /** An orderly stop of the broker takes about a second; a hanging one must not outlive its parent for ever. */
    private static final long ORDERLY_STOP_MS = 10_000;

    private ParentWatch() {
    }

    /** Standard input is a pipe from the parent that nobody writes to, so its end means the end of the parent. */
    static void start() {
        Thread watch = new Thread(ParentWatch::exitAtEndOfInput, "parent-watch");
        watch.setDaemon(true);
        watch.start();
    }

    private static void exitAtEndOfInput() {
        try {
            while (System.in.read() >= 0) {
                continue;
            }
        } catch (IOException closed) {
            // A broken pipe says the same as an end.
        }
        Thread halt = new Thread(ParentWatch::haltAfterGrace, "halt-after-grace");
        halt.setDaemon(true);
        halt.start();
        System.exit(0);
    }

    private static void haltAfterGrace() {
        try {
            Thread.sleep(ORDERLY_STOP_MS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(1);
    }
}
