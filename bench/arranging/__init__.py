"""The orderings of a scenario's variants: ranked for each builder, and built like variants."""

from bench.arranging.ranked import BuilderRules, RankedVariant, rank_variant

__all__ = ["BuilderRules", "RankedVariant", "rank_variant"]
