r"""The wildcards of COPY and ADD sources: Go's ``path.Match``, which both builders use.

``*`` and ``?`` match no slash, ``[…]`` is a class (``^`` negates), ``\`` takes the next character
as it is. Unlike Python's ``fnmatch`` a leading dot is nothing special and ``**`` is two stars.
"""

from __future__ import annotations

import re
from functools import lru_cache


def has_wildcards(path: str) -> bool:
    """Tell whether the builders take ``path`` for a pattern (moby ``copy.go``)."""
    escaped = False
    for character in path:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character in "*?[":
            return True
    return False


def split_wildcards(path: str) -> tuple[str, str]:
    """Split a clean path before the first component with a wildcard.

    Source: moby/buildkit ``cache/contenthash/checksum.go`` splitWildcards.
    """
    parts = path.split("/") if path else []
    plain = 0
    while plain < len(parts) and not has_wildcards(parts[plain]):
        plain += 1
    return "/".join(parts[:plain]), "/".join(parts[plain:])


@lru_cache(maxsize=4096)
def pattern(path: str) -> re.Pattern[str] | None:
    """Return the expression that matches what ``path`` matches; None if it is malformed."""
    out: list[str] = []
    at = 0
    while at < len(path):
        character = path[at]
        at += 1
        if character == "*":
            out.append("[^/]*")
        elif character == "?":
            out.append("[^/]")
        elif character == "\\":
            if at >= len(path):
                return None
            out.append(re.escape(path[at]))
            at += 1
        elif character == "[":
            found = _CLASS.match(path, at)
            if found is None:
                return None
            out.append(_class_of(found["not"], found["items"]))
            at = found.end()
        else:
            out.append(re.escape(character))
    return re.compile("".join(out), re.DOTALL)


_CLASS = re.compile(r"(?P<not>\^?)(?P<items>(?:\\.|[^\]\\])(?:\\.|[^\]\\])*)\]", re.DOTALL)


def _class_of(negated: str, items: str) -> str:
    """Return the class with everything escaped that Python's ``re`` would read otherwise."""
    plain = re.sub(r"\\(.)|([\[&~|^])", lambda one: "\\" + (one[1] or one[2]), items)
    return f"(?!/)[{negated}{plain}]" if negated else f"[{plain}]"


def matches(path: str, candidate: str) -> bool:
    """Tell whether the pattern ``path`` matches the whole of ``candidate``."""
    expression = pattern(path)
    return expression is not None and expression.fullmatch(candidate) is not None
