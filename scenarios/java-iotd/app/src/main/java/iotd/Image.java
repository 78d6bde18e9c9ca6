package iotd;

import java.util.Objects;

/** One picture of the catalogue. */
final class Image {
    final String title;
    final String url;
    final String credit;

    Image(String title, String url, String credit) {
        this.title = Objects.requireNonNull(title, "title");
        this.url = Objects.requireNonNull(url, "url");
        this.credit = Objects.requireNonNull(credit, "credit");
    }
}
