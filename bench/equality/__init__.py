"""Are two images the same? Their config and their merged root file systems, compared."""

from bench.equality.compare import (
    ConfigDifference,
    FileDifference,
    ImageComparison,
    compare_contents,
    compare_images,
)
from bench.equality.image import ImageContents, read_images

__all__ = [
    "ConfigDifference",
    "FileDifference",
    "ImageComparison",
    "ImageContents",
    "compare_contents",
    "compare_images",
    "read_images",
]
