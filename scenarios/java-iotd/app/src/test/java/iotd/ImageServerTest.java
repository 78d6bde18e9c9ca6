package iotd;

import static org.junit.Assert.assertEquals;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

public class ImageServerTest {
    private static final Clock NOON = Clock.fixed(Instant.parse("2026-03-01T12:00:00Z"), ZoneOffset.UTC);

    private ImageServer server;

    @Before
    public void start() throws Exception {
        server = new ImageServer(0, Catalogue.parse(List.of("A \"quoted\" title|u|c")), NOON);
        server.start();
    }

    @After
    public void stop() {
        server.close();
    }

    @Test
    public void theImageOfTheDayIsJson() throws Exception {
        HttpResponse<String> answer = send("/image", "GET");
        assertEquals(200, answer.statusCode());
        assertEquals(
                "{\"date\":\"2026-03-01\",\"title\":\"A \\\"quoted\\\" title\",\"url\":\"u\",\"credit\":\"c\"}",
                answer.body());
    }

    @Test
    public void itSaysThatItIsHealthy() throws Exception {
        assertEquals("ok", send("/health", "GET").body());
    }

    @Test
    public void onlyReadingIsAllowed() throws Exception {
        assertEquals(405, send("/image", "DELETE").statusCode());
    }

    @Test
    public void thePortIs80UnlessTheEnvironmentNamesAnother() {
        assertEquals(80, App.port(null));
        assertEquals(8080, App.port("8080"));
    }

    private HttpResponse<String> send(String path, String method) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + server.port() + path);
        HttpRequest request =
                HttpRequest.newBuilder(uri).method(method, HttpRequest.BodyPublishers.noBody()).build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }
}
