"""Tests of the orderings of scenarios."""
