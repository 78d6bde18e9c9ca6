package iotd;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Answers {@code GET /image} and {@code GET /health} over HTTP. */
final class ImageServer implements AutoCloseable {
    private static final int WORKERS = 4;

    private final HttpServer http;
    private final ExecutorService workers = Executors.newFixedThreadPool(WORKERS);
    private final Catalogue catalogue;
    private final Clock clock;

    /** Listens on {@code port}; 0 takes any free one. */
    ImageServer(int port, Catalogue catalogue, Clock clock) throws IOException {
        this.catalogue = catalogue;
        this.clock = clock;
        http = HttpServer.create(new InetSocketAddress(port), 0);
        http.setExecutor(workers);
        http.createContext("/image", exchange -> get(exchange, "application/json", imageOfTheDay()));
        http.createContext("/health", exchange -> get(exchange, "text/plain", "ok"));
    }

    void start() {
        http.start();
    }

    int port() {
        return http.getAddress().getPort();
    }

    @Override
    public void close() {
        http.stop(0);
        workers.shutdownNow();
    }

    private String imageOfTheDay() {
        LocalDate today = LocalDate.now(clock);
        Image image = catalogue.of(today);
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("date", today.toString());
        fields.put("title", image.title);
        fields.put("url", image.url);
        fields.put("credit", image.credit);
        return Json.object(fields);
    }

    private static void get(HttpExchange exchange, String type, String body) throws IOException {
        try {
            if (!exchange.getRequestMethod().equals("GET")) {
                exchange.getResponseHeaders().set("Allow", "GET");
                exchange.sendResponseHeaders(405, -1);
                return;
            }
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type + "; charset=utf-8");
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
        } finally {
            exchange.close();
        }
    }
}
