"""Are two images the same? Their config and their merged root file systems, compared."""

from bench.equality.compare import (
    SECONDS_APART,
    ConfigDifference,
    FileDifference,
    ImageComparison,
    compare_contents,
    compare_images,
)
from bench.equality.image import ImageContents, read_images

__all__ = [
    "SECONDS_APART",
    "ConfigDifference",
    "FileDifference",
    "ImageComparison",
    "ImageContents",
    "compare_contents",
    "compare_images",
    "read_images",
]
