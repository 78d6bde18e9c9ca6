"""COPY and ADD by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.places import WILDCARDS, BrokenCaseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conformance.grammar import Writer

OWNERS = ("1000", "1000:1000", "0:0", "app", "app:staff", "web", "root", "1001:50")
NUMBERED_OWNERS = tuple(one for one in OWNERS if one.replace(":", "").isdecimal())
_DESTINATIONS = (
    *("/app", "/app/", "/app/sub/", "/srv/", "/out/f", "/d/", "./", ".", "rel/", "rel"),
    *("x/y/", "/", "../up/", "./here", "/data/", "/app/a.txt", "/app/../z/", "//two//"),
    *("/v/$A/", "/v/${B:-none}/", "${C:+x}/y/"),
)
_PATTERNS = (
    *("*.txt", "src/*", "s*", "?.txt", "src/*.c", "[ab].*", "*/b.c", "s*/*", "src/l*", "*"),
    *("[!a]*.txt", "[^a]*.txt", "d*", "*link", "src/lib/*", "a*"),
)
_SYSTEM = ("/bin", "/dev", "/proc", "/sys", "/usr", "/sbin", "/tmp", "/root", "/etc")


def copy_text(writer: Writer) -> str | None:
    """Write a COPY from the context, a stage, an image or a here-document."""
    if writer.dialect.heredocs and writer.chance(7):
        return _heredoc(writer)
    if writer.chance(32 if len(writer.simulation.stages) > 1 else 6):
        return copy_from_text(writer)
    return f"COPY {_flags(writer)}{_with_destination(writer, _sources(writer))}"


def add_text(writer: Writer) -> str:
    """Write an ADD: mostly of a tar, else like COPY."""
    flags = _flags(writer) if writer.chance(50) else _owner(writer)
    tars = [path for path, file in writer.simulation.context.items() if file.kind == "tar"]
    if tars and writer.chance(60):
        source = writer.pick((writer.pick(sorted(tars)), "*.tar"))
        return f"ADD {flags}{source} {writer.pick(('/d/', '/app/', './', '/t/x/', '/'))}"
    return f"ADD {flags}{_with_destination(writer, _sources(writer))}"


def _heredoc(writer: Writer) -> str:
    name = writer.pick(("EOF", "'EOF'"))
    dest = writer.pick(("/h.txt", "/app/h.txt", "h.txt", "/app/"))
    line = f"{writer.word()} {writer.use_of('A')}"
    if writer.chance(20):
        return f"COPY {_flags(writer)}<<one.txt <<two.txt /app/\n{line}\none.txt\nsecond\ntwo.txt"
    return f"COPY {_flags(writer)}<<{name} {dest}\n{line}\nEOF"


def _flags(writer: Writer) -> str:
    flags = _owner(writer)
    if writer.dialect.chmod and writer.chance(10):
        modes = ["600", "0755", "644"]
        if writer.dialect.symbolic_chmod:
            modes += ["u+x", "go="]
        flags += f"--chmod={writer.pick(modes)} "
    if writer.dialect.link and writer.chance(15):
        flags += writer.pick(("--link ", "--link ", "--link=true ", "--link=false "))
    return flags


def _owner(writer: Writer) -> str:
    if not writer.chance(15):
        return ""
    owners = OWNERS if writer.stage.has_passwd else NUMBERED_OWNERS
    return f"--chown={writer.word_for(writer.pick(owners))} "


def context_sources(writer: Writer) -> list[str]:
    """Return what COPY may name of the context, patterns and other spellings included."""
    paths = sorted(writer.simulation.context)
    if not paths:
        return ["."]
    path = writer.pick(paths)
    folders = [one for one, file in writer.simulation.context.items() if file.kind == "dir"]
    spellings = [f"./{path}", f"/{path}", "."]
    if folders:
        folder = writer.pick(sorted(folders))
        spellings += [f"{folder}/", f"{folder}/.", f"{folder}/../{path}"]
    return [*paths, *paths, *spellings, *_PATTERNS]


def _sources(writer: Writer) -> list[str]:
    if writer.chance(16):
        return ["."]
    count = writer.weighted({1: 80, 2: 16, 3: 4})
    sources = [writer.pick(context_sources(writer)) for _ in range(count)]
    return [writer.word_for(source) for source in sources]


def _with_destination(writer: Writer, sources: Sequence[str]) -> str:
    if sources == ["."] and writer.chance(50):
        return ". ."
    dest = writer.pick(_DESTINATIONS)
    if (len(sources) > 1 or WILDCARDS & set("".join(sources))) and not dest.endswith("/"):
        dest += "/"
    words = [*sources, writer.word_for(dest)]
    # A JSON form says the same with other text, and can name what has spaces in it.
    if writer.chance(6) or any(" " in word for word in words):
        return "[" + ", ".join(f'"{word}"' for word in words) + "]"
    return (" \\\n    " if writer.chance(4) else " ").join(words)


def copy_from_text(writer: Writer, reference: str | None = None) -> str | None:
    """Write a COPY from a stage or an image, one by chance if none is given."""
    reference = reference or writer.reference()
    if reference is None:
        return None
    try:
        tree = writer.simulation.tree_of(reference)
    except BrokenCaseError:
        return None
    sources = sorted(path for path in tree.kinds if _is_of_case(path) and " " not in path)
    if not sources:
        return None
    source = writer.pick(sources)
    if writer.chance(15):
        source = source.lstrip("/")
    if writer.chance(14) and "etc/" not in source:  # an engine may put more files there
        folder, _, name = source.rpartition("/")
        source = f"{folder}/{writer.pick(('*', '*.txt', name[:1] + '*'))}"
    elif writer.chance(5):
        source += writer.pick(("/", "/.", "/../"))
    dest = writer.pick(_DESTINATIONS)
    if "*" in source and not dest.endswith("/"):
        dest += "/"
    if writer.chance(10):
        reference = reference.swapcase() if "/" not in reference else reference
    words = [writer.word_for(source)]
    if writer.chance(6):
        words.append(writer.pick(sources))
        dest = dest if dest.endswith("/") else f"{dest}/"
    return f"COPY --from={reference} {_flags(writer)}{' '.join(words)} {dest}"


def _is_of_case(path: str) -> bool:
    return not path.startswith(_SYSTEM) or path in {"/etc/passwd", "/etc/group"}
