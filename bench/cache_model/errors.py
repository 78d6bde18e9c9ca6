"""What the model says instead of guessing."""

from __future__ import annotations


class NotUnderstoodError(Exception):
    """An instruction is beyond the model; the text says what of it."""


class WillFailError(Exception):
    """The builder will refuse this instruction; the text says why."""
