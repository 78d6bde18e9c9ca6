package iotd;

import java.io.IOException;
import java.time.Clock;

/** Starts the service on the port that {@code PORT} names, else on 80. */
public final class App {
    static final String REVISION = "working copy";
    private static final int DEFAULT_PORT = 80;

    private App() {}

    public static void main(String[] arguments) throws IOException {
        if (arguments.length > 0) {
            System.out.println("iotd-service takes no arguments, got: " + String.join(" ", arguments));
            System.exit(2);
        }
        ImageServer server =
                new ImageServer(port(System.getenv("PORT")), Catalogue.bundled(), Clock.systemUTC());
        server.start();
        System.out.println("iotd-service (" + REVISION + ") listens on port " + server.port());
    }

    static int port(String setting) {
        return setting == null || setting.isBlank() ? DEFAULT_PORT : Integer.parseInt(setting.strip());
    }
}
