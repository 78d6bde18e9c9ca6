"""How a rewrite says that it cannot show what it would have to."""

from __future__ import annotations


class UnprovableError(Exception):
    """Something is not known that the proof needs; the text says what, as a sentence fragment."""
