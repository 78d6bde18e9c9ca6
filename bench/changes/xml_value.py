"""Finding one value of an XML text by its bytes, and replacing it there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat  # no external entity is ever followed, no handler is set for them
from xml.sax.saxutils import escape, unescape

from bench.changes.nearest import suggestion
from bench.errors import ChangeError

KeyPath = tuple[str | int, ...]

_TAG = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")
_ATTRIBUTE = re.compile(rb"""\s([^\s=/>"']+)\s*=\s*("[^"]*"|'[^']*')""")
_QUOTES = {'"': "&quot;", "'": "&apos;"}


@dataclass
class _Element:
    """An element that is open while the text is read; ``start`` and ``end`` are byte offsets."""

    name: str
    index: int
    start: int
    end: int = -1
    children: dict[str, int] = field(default_factory=dict)


@dataclass
class _Search:
    """The elements at a path, found while the text is read from beginning to end."""

    path: KeyPath
    found: list[_Element] = field(default_factory=list)
    seen: dict[str, None] = field(default_factory=dict)
    encoding: str = "utf-8"
    _open: list[_Element] = field(default_factory=lambda: [_Element("", 0, 0)])

    def run(self, content: bytes) -> None:
        """Read the text.

        Raises:
            ValueError: it is no XML.

        """
        parser = expat.ParserCreate()

        def declared(_version: str, encoding: str | None, _standalone: int) -> None:
            self.encoding = encoding or self.encoding

        def started(name: str, _attributes: object) -> None:
            index = self._open[-1].children.get(name, 0)
            self._open[-1].children[name] = index + 1
            self._open.append(_Element(name, index, parser.CurrentByteIndex))

        def ended(_name: str) -> None:
            element = self._open[-1]
            element.end = parser.CurrentByteIndex
            self._note(element)
            self._open.pop()

        parser.XmlDeclHandler = declared
        parser.StartElementHandler = started
        parser.EndElementHandler = ended
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            raise ValueError(str(error)) from error

    def _note(self, element: _Element) -> None:
        if _matches(self._open[1:], self.path):
            self.found.append(element)
        elif _matches(self._open[1:-1], _parent(self.path)):
            self.seen[element.name] = None


def _parent(path: KeyPath) -> KeyPath:
    """Return the path without its last element, whether that has an index or not."""
    names = [place for place, part in enumerate(path) if isinstance(part, str)]
    return path[: names[-1]] if names else ()


def _matches(elements: list[_Element], path: KeyPath) -> bool:
    """Tell whether the open elements are the ones that ``path`` names."""
    rest = list(path)
    for element in elements:
        if not rest or rest.pop(0) not in {element.name, element.name.rpartition(":")[2]}:
            return False
        if rest and isinstance(rest[0], int) and rest.pop(0) != element.index:
            return False
    return not rest


def replace_xml_value(content: bytes, path: KeyPath, text: str) -> tuple[str, bytes]:
    """Replace the text of the element, or of the ``@attribute``, at ``path``.

    Returns the old value and the new content; everything else in it is the same bytes.

    Raises:
        ChangeError: no element or several are at ``path``, or it holds other elements.
        ValueError: the text is no XML.

    """
    if content[:2] in {b"\xfe\xff", b"\xff\xfe"}:
        raise ChangeError("UTF-16 XML cannot be changed in place", remedy="save it as UTF-8")
    last = path[-1]
    attribute = last[1:] if isinstance(last, str) and last.startswith("@") else None
    search = _Search(path if attribute is None else path[:-1])
    search.run(content)
    element = _single(search)
    tag = _TAG.match(content, element.start)
    if tag is None:
        raise ChangeError("the value comes from an entity", remedy="use replace")
    if attribute is None:
        start, end = _text_span(content, tag, element, search.path)
        new = escape(text)
    else:
        start, end = _attribute_span(tag, attribute)
        new = escape(text, _QUOTES)
    old = unescape(content[start:end].decode(search.encoding), {"&quot;": '"', "&apos;": "'"})
    encoded = new.encode(search.encoding, "xmlcharrefreplace")
    return old, content[:start] + encoded + content[end:]


def _single(search: _Search) -> _Element:
    written = ".".join(str(part) for part in search.path)
    if not search.found:
        known = list(search.seen)[:20]
        remedy = suggestion(str(search.path[-1]), known, "elements there") if known else ""
        raise ChangeError(f"there is no element {written}", remedy=remedy or "name one in the file")
    if len(search.found) > 1:
        raise ChangeError(
            f"there are {len(search.found)} elements {written}",
            remedy=f"say which, counted from 0: {written}[0]",
        )
    return search.found[0]


def _attribute_span(tag: re.Match[bytes], name: str) -> tuple[int, int]:
    spans = {
        one[1].decode("utf-8", "replace"): (one.start(2) + 1, one.end(2) - 1)
        for one in _ATTRIBUTE.finditer(tag[0])
    }
    if name not in spans:
        remedy = suggestion(name, spans, "attributes there")
        raise ChangeError(f"there is no attribute {name}", remedy=remedy)
    start, end = spans[name]
    return tag.start() + start, tag.start() + end


def _text_span(
    content: bytes, tag: re.Match[bytes], element: _Element, path: KeyPath
) -> tuple[int, int]:
    """Return where the text of an element stands, without the white space around it."""
    inner = content[tag.end() : element.end]
    if tag[0].endswith(b"/>") or b"<" in inner or not inner.strip():
        written = ".".join(str(part) for part in path)
        raise ChangeError(
            f"element {written} holds no plain text", remedy="name an element that holds one value"
        )
    start = tag.end() + len(inner) - len(inner.lstrip())
    return start, start + len(inner.strip())
