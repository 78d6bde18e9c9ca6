"""COPY, ADD, mounts and here-documents are read as the builders read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.cache_model.errors import NotUnderstoodError
from bench.cache_model.heredocs import heredocs
from bench.cache_model.inputs import BaseImage
from bench.cache_model.mounts import mounts_of
from bench.cache_model.profiles import BUILDKIT_08, BUILDKIT_28, CLASSIC_25
from bench.cache_model.scope import Scope
from bench.cache_model.sources import transfer_of
from tests.cache_model.states import build

if TYPE_CHECKING:
    from bench.cache_model import Profile
    from bench.cache_model.heredocs import Heredoc
    from bench.cache_model.mounts import Mount
    from bench.cache_model.sources import Transfer


def transfer(line: str, profile: Profile = BUILDKIT_28, working_dir: str = "/w") -> Transfer:
    one = build(f"FROM base\n{line}\n")
    scope = Scope.of_base(one, BaseImage("base", working_dir=working_dir), {}, profile)
    return transfer_of(one.dockerfile, one.dockerfile.stages[0].instructions[1], scope, profile)


def mounts(line: str, profile: Profile = BUILDKIT_28) -> list[Mount]:
    one = build(f"FROM base\n{line}\n")
    scope = Scope.of_base(one, BaseImage("base"), {}, profile)
    return mounts_of(one.dockerfile.stages[0].instructions[1], scope, profile)


def documents(text: str) -> list[Heredoc]:
    one = build(f"FROM base\n{text}")
    return heredocs(one.dockerfile, one.dockerfile.stages[0].instructions[1])


@pytest.mark.parametrize(
    ("destination", "target", "into_folder"),
    [
        ("/a", "/a", False),
        ("/a/", "/a", True),
        ("a", "/w/a", False),
        (".", "/w", True),
        ("./", "/w", True),
        ("../b", "/b", False),
        ("/", "/", True),
        ("/a/../b/", "/b", True),
    ],
)
def test_destinations(destination: str, target: str, *, into_folder: bool) -> None:
    found = transfer(f"COPY x {destination}")
    assert (found.target, found.into_folder) == (target, into_folder)


def test_flags_and_sources() -> None:
    found = transfer('COPY --from=b --chown=1:2 --chmod=0640 --link ["a b", "c", "/d/"]')
    assert found.sources == ("a b", "c")
    assert (found.origin, found.chown, found.mode, found.mode_part) == ("b", "1:2", 0o640, "640")
    assert found.link


def test_a_symbolic_mode_has_no_number() -> None:
    found = transfer("COPY --chmod=u+x a /a")
    assert (found.mode, found.mode_part) == (None, "u+x")


@pytest.mark.parametrize(
    ("line", "profile"),
    [
        ("ADD https://example.org/a /a", BUILDKIT_28),
        ("ADD git@example.org:a.git /a", BUILDKIT_28),
        ("COPY --exclude=x a /a", BUILDKIT_28),
        ("COPY --link a /a", BUILDKIT_08),
        ("COPY --chmod=644 a /a", CLASSIC_25),
        ("COPY <<E /a\nx\nE", BUILDKIT_08),
    ],
)
def test_what_a_builder_does_not_know_is_refused(line: str, profile: Profile) -> None:
    with pytest.raises(NotUnderstoodError):
        transfer(line, profile)


def test_here_documents_of_copy() -> None:
    found = transfer('COPY <<ONE <<-"TWO" x /d/\n1\nONE\n\t$2\nTWO')
    assert found.sources == ("x",)
    assert [(one.name, one.text, one.expands) for one in found.documents] == [
        ("ONE", "1\n", True),
        ("TWO", "$2\n", False),
    ]


def test_variables_in_a_here_document_are_filled_in_and_quotes_kept() -> None:
    one = build("FROM base\nENV V=1\nCOPY <<E /a\n\"$V\" '$V'\nE\n")
    scope = Scope.of_base(one, BaseImage("base"), {}, BUILDKIT_28)
    _, env, copy = one.dockerfile.stages[0].instructions
    scope.apply(env)
    (found,) = transfer_of(one.dockerfile, copy, scope, BUILDKIT_28).documents
    assert found.text == "\"1\" '1'\n"


def test_a_shift_in_a_shell_is_no_here_document() -> None:
    assert documents("RUN echo $((1<<2))\n") == []
    assert documents('RUN cat <<< "x"\n') == []


def test_here_documents_after_a_continued_line() -> None:
    (found,) = documents("RUN cat \\\n  <<EOF\nx\nEOF\n")
    assert found.text == "x\n"


def test_a_bind_mount_reads_its_source() -> None:
    (found,) = mounts("RUN --mount=source=a,target=/m true")
    assert (found.type, found.source, found.origin, found.reads) == ("bind", "a", None, True)


def test_a_mount_is_read_only_unless_it_says_so() -> None:
    parts = {
        text: mounts(f"RUN --mount=type=bind,target=/m{text} true")[0].part
        for text in ("", ",ro", ",readonly=true", ",rw", ",readwrite")
    }
    assert parts[""] == parts[",ro"] == parts[",readonly=true"]
    assert parts[",rw"] == parts[",readwrite"] != parts[""]


def test_the_content_of_a_cache_is_never_read() -> None:
    assert not mounts("RUN --mount=type=cache,target=/c true")[0].reads
    assert mounts("RUN --mount=type=cache,from=x,target=/c true")[0].reads


def test_the_id_of_a_cache_left_the_key_with_0_13() -> None:
    one, two = "RUN --mount=type=cache,id=1,target=/c t", "RUN --mount=type=cache,id=2,target=/c t"
    assert mounts(one)[0].part == mounts(two)[0].part
    assert mounts(one, BUILDKIT_08)[0].part != mounts(two, BUILDKIT_08)[0].part
    # The default id is told from all others still.
    assert mounts("RUN --mount=type=cache,target=/c t")[0].part != mounts(one)[0].part


def test_mounts_stand_in_the_order_of_their_targets() -> None:
    found = mounts("RUN --mount=source=b,target=/2 --mount=source=a,target=/1 true")
    assert [one.target for one in found] == ["/1", "/2"]


def test_an_unknown_kind_of_mount_is_refused() -> None:
    with pytest.raises(NotUnderstoodError, match="of type new"):
        mounts("RUN --mount=type=new,target=/m true")
