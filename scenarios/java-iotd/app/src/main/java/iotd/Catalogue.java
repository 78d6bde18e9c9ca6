package iotd;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.io.IOUtils;

/** The pictures, in the order in which the days of a year show them. */
final class Catalogue {
    private static final String RESOURCE = "catalogue.psv";
    private static final int FIELDS = 3;

    private final List<Image> images;

    private Catalogue(List<Image> images) {
        if (images.isEmpty()) {
            throw new IllegalArgumentException("the catalogue holds no image");
        }
        this.images = List.copyOf(images);
    }

    /** Reads the catalogue that is packaged with the service. */
    static Catalogue bundled() throws IOException {
        try (InputStream in = Catalogue.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IOException("the package lacks " + RESOURCE);
            }
            return parse(IOUtils.readLines(in, StandardCharsets.UTF_8));
        }
    }

    /** Reads lines of the form {@code title|url|credit}; empty lines and lines from # are skipped. */
    static Catalogue parse(List<String> lines) {
        List<Image> images = new ArrayList<>();
        for (String line : lines) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            String[] fields = line.split("\\|", -1);
            if (fields.length != FIELDS) {
                throw new IllegalArgumentException("not title|url|credit: " + line);
            }
            images.add(new Image(fields[0].strip(), fields[1].strip(), fields[2].strip()));
        }
        return new Catalogue(images);
    }

    /** The image of a day; the same day always has the same image. */
    Image of(LocalDate day) {
        return images.get((int) Math.floorMod(day.toEpochDay(), (long) images.size()));
    }

    int size() {
        return images.size();
    }
}
