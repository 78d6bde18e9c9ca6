"""The orderings of a scenario's variants: ranked for each builder, and built like variants."""

from bench.arranging.ranked import BuilderRules, RankedVariant, rank_variant
from bench.arranging.spec import OrderingsSpec
from bench.arranging.variants import names_of, with_orderings, with_recorded

__all__ = [
    "BuilderRules",
    "OrderingsSpec",
    "RankedVariant",
    "names_of",
    "rank_variant",
    "with_orderings",
    "with_recorded",
]
