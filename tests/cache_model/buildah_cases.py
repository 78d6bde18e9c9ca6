"""What is built with buildah to record what it does: sequences of builds on one store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BASE = "localhost/base:1"
_FROM = f"FROM {BASE}\n"
FILES = {"a.txt": "a\n", "b.txt": "b\n", "d/x": "x\n", "d/e/y": "y\n"}
TREES = {**FILES, "d/empty/": ""}


@dataclass(frozen=True)
class Built:
    """One build. A path that ends in ``/`` is an empty folder; ``modes`` are set last."""

    text: str
    files: Mapping[str, str] = field(default_factory=lambda: FILES)
    modes: Mapping[str, int] = field(default_factory=dict)
    build_args: Mapping[str, str] = field(default_factory=dict)


def _on_base(
    text: str,
    files: Mapping[str, str] = FILES,
    modes: Mapping[str, int] | None = None,
    build_args: Mapping[str, str] | None = None,
) -> Built:
    return Built(_FROM + text, files, modes or {}, build_args or {})


_STAGES = f"""\
FROM {BASE} AS b
COPY a.txt /a
RUN cat /a > /out
FROM {BASE} AS unused
COPY b.txt /b
FROM {BASE}
COPY --from=b /out /out
LABEL z=1
"""
_CONSTANT = _STAGES.replace("cat /a", "echo constant")
_CHILD = f"FROM {BASE} AS b\nCOPY a.txt /a\nFROM b\nRUN echo child\n"
_EDITED = {**FILES, "a.txt": "edited\n"}

SEQUENCES: Mapping[str, tuple[Built, ...]] = {
    "cold-again-edit-back": (
        _on_base("COPY a.txt /a\nRUN echo 1 > /1\nCMD x\n"),
        _on_base("COPY a.txt /a\nRUN echo 1 > /1\nCMD x\n"),
        _on_base("COPY a.txt /a\nRUN echo 1 > /1\nCMD x\n", files=_EDITED),
        _on_base("COPY a.txt /a\nRUN echo 1 > /1\nCMD x\n"),
    ),
    "renamed-file": (
        _on_base("COPY a.txt /r\n"),
        _on_base("COPY c.txt /r\n", files={"c.txt": "a\n"}),
        _on_base("COPY a.txt /r/in/\n"),
        _on_base("COPY c.txt /r/in/\n", files={"c.txt": "a\n"}),
    ),
    "modes": (
        _on_base("COPY a.txt /m\n"),
        _on_base("COPY a.txt /m\n", modes={"a.txt": 0o755}),
        _on_base("COPY --chmod=755 a.txt /m\n"),
        _on_base("COPY --chmod=600 a.txt /m\n"),
    ),
    "folders": (
        _on_base("COPY d /d\n"),
        _on_base("COPY d/ /d\n"),
        _on_base("COPY ./d /d\n", modes={"d": 0o700}),
        _on_base("COPY d /d\n", modes={"d/e": 0o700}),
        _on_base("COPY dd /d\n", files={"dd/x": "x\n", "dd/e/y": "y\n"}),
        _on_base("COPY d /d\n", files=TREES),
    ),
    "owners": (
        _on_base("COPY a.txt /o\n"),
        _on_base("COPY --chown=1:1 a.txt /o\n"),
        _on_base("COPY --chown=1 a.txt /o\n"),
        _on_base("COPY --chown=0:0 a.txt /o\n"),
        _on_base("ADD a.txt /o\n"),
    ),
    "several-sources": (
        _on_base("COPY a.txt b.txt /s/\n"),
        _on_base("COPY b.txt a.txt /s/\n"),
        _on_base("COPY *.txt /s/\n"),
        _on_base("COPY a.txt b.txt /s/\n", files={"a.txt": "b\n", "b.txt": "a\n"}),
    ),
    "args": (
        _on_base("ARG V=1\nRUN true\nCOPY a.txt /x$V\n"),
        _on_base("ARG V=2\nRUN true\nCOPY a.txt /x$V\n"),
        _on_base("ARG V=2\nRUN true\nCOPY a.txt /x$V\n", build_args={"V": "1"}),
    ),
    "arg-in-destination": (
        _on_base("ARG D=1\nCOPY a.txt /y$D\n"),
        _on_base("ARG D=2\nCOPY a.txt /y$D\n"),
    ),
    "arg-in-env": (
        _on_base("ARG E=1\nENV F=$E\nRUN echo $F\n"),
        _on_base("ARG E=2\nENV F=$E\nRUN echo $F\n"),
    ),
    "arg-and-env": (
        _on_base("ARG G=1\nENV G=9\nRUN true\n"),
        _on_base("ARG G=2\nENV G=9\nRUN true\n"),
        _on_base("ENV G=9\nARG G=2\nRUN true\n"),
        _on_base("ENV G=9\nARG G=3\nRUN true\n"),
    ),
    "arg-without-value": (
        _on_base("ARG H\nRUN true\n"),
        _on_base("ARG H\nRUN true\n", build_args={"H": "1"}),
        _on_base("ARG H\nARG I\nRUN true\n"),
    ),
    "spaces": (
        _on_base("RUN echo  1\nLABEL x=1\nWORKDIR  /w\n"),
        _on_base("RUN echo  1\nLABEL  x=1\nWORKDIR /w\n"),
        _on_base("RUN echo 1\n"),
        _on_base('RUN ["/bin/sh", "-c", "echo 1"]\n'),
    ),
    "stages": (
        Built(_STAGES),
        Built(_STAGES),
        Built(_STAGES, files=_EDITED),
        Built(_CONSTANT),
        Built(_CONSTANT, files={**FILES, "a.txt": "other\n"}),
    ),
    "child-stage": (
        Built(_CHILD),
        Built(_CHILD, files={**FILES, "a.txt": "third\n"}),
        Built(_CHILD),
    ),
    "same-prefix": (
        Built(
            f"FROM {BASE} AS p\nCOPY d/x /p\nRUN echo p\n"
            f"FROM {BASE}\nCOPY d/x /p\nRUN echo p\nCOPY --from=p /p /q\n"
        ),
    ),
    "dockerfile-in-context": (
        _on_base("COPY . /all\n"),
        Built(f"# a comment\n{_FROM}COPY . /all\n"),
    ),
    "ignored-dockerfile": (
        _on_base("COPY . /all\n", files={**FILES, ".dockerignore": "Dockerfile\n"}),
        Built(
            f"# a comment\n{_FROM}COPY . /all\n",
            files={**FILES, ".dockerignore": "Dockerfile\n"},
        ),
    ),
    "scope": (
        _on_base('WORKDIR /a\nWORKDIR b\nUSER 1\nSHELL ["/bin/sh", "-ec"]\nRUN true\n'),
        _on_base('WORKDIR /a\nWORKDIR b\nUSER 1\nSHELL ["/bin/sh", "-xc"]\nRUN true\n'),
        _on_base("WORKDIR /a/b\nUSER 1\nRUN true\n"),
    ),
}
