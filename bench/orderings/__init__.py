"""Which reorderings of a Dockerfile keep its image the same, and which of them rebuilds fastest."""
