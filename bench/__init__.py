"""Measure how well Dockerfiles use the build cache."""

__version__ = "0.1.0"
