"""What pytest leaves alone here."""

from __future__ import annotations

collect_ignore = ["applications"]
"""The applications have tests of their own, which run while their images are built."""
