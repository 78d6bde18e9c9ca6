"""Find, start and describe Docker Engines."""
