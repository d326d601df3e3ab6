import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import org.neo4j.configuration.GraphDatabaseInternalSettings;
import org.neo4j.configuration.GraphDatabaseSettings;
import org.neo4j.configuration.connectors.BoltConnector;
import org.neo4j.configuration.connectors.HttpConnector;
import org.neo4j.configuration.connectors.HttpsConnector;
import org.neo4j.configuration.helpers.SocketAddress;
import org.neo4j.dbms.api.DatabaseManagementService;
import org.neo4j.dbms.api.DatabaseManagementServiceBuilder;
import org.neo4j.graphdb.GraphDatabaseService;
import org.neo4j.io.ByteUnit;

/**
 * Runs one Neo4j until stdin ends: {@code Main home port pageCacheMB keep|discard|train password}.
 *
 * <p>Stdin is the lifeline. The operating system closes it when the process that started the server
 * is gone, killed or not, so no test run leaves a JVM behind.
 */
public class Main {
    public static void main(String[] args) {
        try {
            run(args);
            System.exit(0);
        } catch (Throwable e) {
            // Uncaught it would end this thread and leave the JVM to Neo4j's.
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                System.err.println(cause);
            }
            Runtime.getRuntime().halt(1);
        }
    }

    private static void run(String[] args) throws IOException {
        Path home = Path.of(args[0]);
        SocketAddress bolt = new SocketAddress("127.0.0.1", Integer.parseInt(args[1]));
        long pageCache = ByteUnit.mebiBytes(Long.parseLong(args[2]));
        String data = args[3];
        String password = args[4];

        DatabaseManagementService server = new DatabaseManagementServiceBuilder(home)
                .setConfig(BoltConnector.enabled, true)
                .setConfig(BoltConnector.listen_address, bolt)
                .setConfig(BoltConnector.advertised_address, bolt)
                // Two waits of 5 s at every stop, for requests that come in meanwhile.
                .setConfig(GraphDatabaseInternalSettings.netty_server_shutdown_quiet_period, 0)
                .setConfig(HttpConnector.enabled, false)
                .setConfig(HttpsConnector.enabled, false)
                .setConfig(GraphDatabaseSettings.auth_enabled, !password.isEmpty())
                .setConfig(GraphDatabaseSettings.pagecache_memory, pageCache)
                // 256 MB of log are set aside for each of two databases unless told otherwise.
                .setConfig(GraphDatabaseSettings.preallocate_logical_logs, false)
                .setConfig(GraphDatabaseSettings.logical_log_rotation_threshold, ByteUnit.mebiBytes(32))
                .setConfig(GraphDatabaseSettings.keep_logical_logs, "keep_none")
                .setConfig(GraphDatabaseSettings.udc_enabled, false)
                .build();
        if (!password.isEmpty()) {
            // Without auth: a statement of the process itself is not checked.
            // ALTER USER refuses the password that is set already, as it is after a restart.
            server.database("system")
                    .executeTransactionally(
                            "CREATE OR REPLACE USER neo4j SET PASSWORD $password CHANGE NOT REQUIRED",
                            Map.of("password", password));
        }
        if (data.equals("train")) {
            train(server.database("neo4j"));
        }
        System.out.println("READY");

        while (System.in.read() >= 0) {}
        server.shutdown();
        if (!data.equals("keep")) {
            delete(home);
        }
    }

    /** Loads the classes that a test will need, for the archive that the JVM makes of them as it exits. */
    private static void train(GraphDatabaseService db) {
        db.executeTransactionally("CREATE CONSTRAINT IF NOT EXISTS FOR (n:A) REQUIRE n.k IS UNIQUE");
        db.executeTransactionally("UNWIND range(1, 1000) AS i MERGE (a:A {k: i}) SET a += {x: i, y: [i]}");
        db.executeTransactionally("MATCH (a:A {k: 1}), (b:A {k: 2}) MERGE (a)-[:R]->(b)");
        db.executeTransactionally("MATCH (a:A)-[:R*]->(b) WITH a, count(b) AS c RETURN a ORDER BY c DESC LIMIT 3");
        db.executeTransactionally("MATCH (a:A) DETACH DELETE a");
    }

    private static void delete(Path home) throws IOException {
        Files.walkFileTree(home, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path dir, IOException e) throws IOException {
                Files.delete(dir);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
