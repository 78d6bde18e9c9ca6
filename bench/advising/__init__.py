"""From a Dockerfile and how its context changes to a better Dockerfile, and the proof of it."""
