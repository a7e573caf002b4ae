package assent.localstack;

import java.nio.file.Files;
import java.nio.file.Path;

import kafka.Kafka;
import kafka.tools.StorageTool;

/** Apache Kafka as one KRaft node: formats its folder on the first start, then runs the broker's own main. */
public final class BrokerMain {

    private BrokerMain() {
    }

    /** @param args server.properties, the log folder it names, the cluster id to format that folder with */
    public static void main(String[] args) {
        String properties = args[0];
        Path logFolder = Path.of(args[1]);
        String clusterId = args[2];
        ParentWatch.start();
        if (!Files.exists(logFolder.resolve("meta.properties"))) {
            String[] format = {"format", "--config", properties, "--cluster-id", clusterId};
            if (StorageTool.execute(format, System.out) != 0) {
                System.exit(1);
            }
        }
        Kafka.main(new String[] {properties});
    }
}
