package iotd;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotSame;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.time.LocalDate;
import java.util.List;
import org.junit.Test;

public class CatalogueTest {
    private static final LocalDate DAY = LocalDate.of(2026, 3, 1);

    @Test
    public void theBundledCatalogueHasAnImageForEveryWeekday() throws Exception {
        assertTrue(Catalogue.bundled().size() >= 7);
    }

    @Test
    public void aDayKeepsItsImageAndTheNextDayHasAnother() throws Exception {
        Catalogue catalogue = Catalogue.bundled();
        assertSame(catalogue.of(DAY), catalogue.of(DAY));
        assertNotSame(catalogue.of(DAY), catalogue.of(DAY.plusDays(1)));
    }

    @Test
    public void daysBefore1970HaveAnImageToo() {
        Catalogue catalogue = Catalogue.parse(List.of("a|u|c", "b|u|c"));
        assertEquals("b", catalogue.of(LocalDate.of(1969, 12, 31)).title);
    }

    @Test
    public void commentsAndEmptyLinesAreSkipped() {
        assertEquals(1, Catalogue.parse(List.of("# title|url|credit", "", "a|u|c")).size());
    }

    @Test
    public void aLineWithAFieldMissingIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> Catalogue.parse(List.of("a|u")));
    }
}
