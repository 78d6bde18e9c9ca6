"""Moves that look harmless: small Dockerfiles, each with one other order of its instructions.

An illegal move gives another image on the builders that it names, which a real engine has to show;
a legal one gives the same image on both.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.dockerfile import parse
from bench.orderings.ordering import Ordering
from tests.conformance.case import Case, CaseStage, File, Line, State, directory

BOTH = ("classic", "buildkit")
_FILES = {
    "a.txt": File(content="aye\n"),
    "b.txt": File(content="bee\n", mode=0o600),
    "src": directory(0o700),
    "src/a.c": File(content="int a;\n"),
    "passwd": File(content="root:x:0:0:root:/root:/bin/sh\napp:x:4242:4242:app:/:/bin/sh\n"),
}


@dataclass(frozen=True)
class Move:
    """One Dockerfile and one move: instruction ``moved`` of the last stage to the place of ``to``.

    Both are numbers in that stage, FROM being 1. ``builders`` are those whose image changes.
    """

    name: str
    text: str
    builders: tuple[str, ...] = BOTH
    moved: int = 3
    to: int = 2
    base: str = "img/base:1"

    @property
    def case(self) -> Case:
        """The Dockerfile with its context, as the generator has them."""
        text = self.text if self.text.startswith("FROM") else f"FROM {self.base}\n{self.text}"
        lines = [Line(number, line) for number, line in enumerate(text.splitlines())]
        state = State(stages=(CaseStage(0, tuple(lines)),), files=_FILES)
        return Case(self.name, (state,))

    @property
    def ordering(self) -> Ordering:
        """The other order."""
        written = Ordering.written(parse(self.case.states[0].text))
        steps = [step for step in written.stages[-1] if step != self.moved]
        steps.insert(self.to - 1, self.moved)
        return written.with_stage(len(written.stages) - 1, steps)


ILLEGAL = (
    Move("shell-cmd", 'SHELL ["/bin/sh", "-ec"]\nCMD start\n'),
    Move("shell-entrypoint", 'SHELL ["/bin/sh", "-ec"]\nENTRYPOINT start\n'),
    Move("shell-run", 'SHELL ["/bin/sh", "-c", "echo $0 > /said"]\nRUN true\n'),
    Move(
        "volume-before-run", "VOLUME /data\nRUN mkdir -p /data && echo 1 > /data/f\n", ("classic",)
    ),
    Move("volume-after-run", "RUN mkdir /data && echo 1 > /data/f\nVOLUME /data\n", ("classic",)),
    Move("user-workdir", "USER 1000\nWORKDIR /w\n", ("buildkit",)),
    Move(
        "copy-makes-the-workdir",
        "USER 1000\nCOPY a.txt /w/a.txt\nWORKDIR /w\n",
        ("buildkit",),
        moved=4,
        to=3,
    ),
    Move("user-run", "USER 1000\nRUN id -u > /tmp/u\n"),
    Move("arg-env", "ARG V=a\nENV V=b\nRUN echo $V > /v\n", ("buildkit",)),
    Move("env-arg", "ENV V=b\nARG V=a\nRUN echo $V > /v\n", ("buildkit",)),
    Move("env-run", "ENV V=b\nRUN echo $V > /v\n"),
    Move("arg-run", "ARG V=b\nRUN echo $V > /v\n"),
    Move("env-env", "ENV V=b\nENV V=c\n"),
    Move("env-reads-env", "ENV V=b\nENV W=$V\n"),
    Move("env-copy", "ENV D=/x\nCOPY a.txt $D/\n"),
    Move("env-workdir", "ENV D=/x\nWORKDIR $D/y\n"),
    Move("arg-expose", "ARG P=80\nEXPOSE $P\n"),
    Move("arg-label", "ARG P=80\nLABEL p=$P\n"),
    Move("workdir-copy", "WORKDIR /w\nCOPY a.txt .\n"),
    Move("workdir-workdir", "WORKDIR /w\nWORKDIR v\n"),
    Move("workdir-run", "WORKDIR /w\nRUN pwd > /p\n"),
    Move("copy-copy", "COPY a.txt /f\nCOPY b.txt /f\n"),
    Move("copy-into-folder", "COPY a.txt /d/\nCOPY b.txt /d\n"),
    Move("copy-chown-name", "COPY passwd /etc/passwd\nCOPY --chown=app a.txt /f\n"),
    Move("copy-through-link", "RUN mkdir /real && ln -s /real /l\nCOPY a.txt /l/\n"),
    Move("copy-into-made-folder", "RUN mkdir -m 700 /w\nCOPY a.txt /w/\n"),
    Move("run-reads-copy", "COPY a.txt /f\nRUN cat /f > /g || true\n"),
    Move("run-run", "RUN echo 1 >> /x\nRUN cp /x /y || true\n"),
    Move("cmd-cmd", 'CMD ["a"]\nCMD ["b"]\n'),
    Move("entrypoint-entrypoint", 'ENTRYPOINT ["a"]\nENTRYPOINT ["b"]\n'),
    Move("label-label", "LABEL k=1\nLABEL k=2\n"),
    Move("healthcheck-healthcheck", "HEALTHCHECK CMD a\nHEALTHCHECK NONE\n"),
    Move("stopsignal-stopsignal", "STOPSIGNAL 1\nSTOPSIGNAL 2\n"),
    Move("maintainer-maintainer", "MAINTAINER a\nMAINTAINER b\n"),
    Move("user-user", "USER 1\nUSER 2\n"),
    Move("onbuild-onbuild", "ONBUILD RUN a\nONBUILD RUN b\n"),
    Move("trigger-workdir", "COPY a.txt f\nWORKDIR /w\n", base="img/trigger:1"),
)
"""Moves that change the image."""

LEGAL = (
    Move("cmd-entrypoint", 'CMD ["a"]\nENTRYPOINT ["b"]\n'),
    Move("entrypoint-cmd", 'ENTRYPOINT ["b"]\nCMD ["a"]\n'),
    Move(
        "entrypoint-wipes-an-inherited-cmd",
        'FROM img/base:1 AS one\nCMD ["old"]\nFROM one\nLABEL a=1\nENTRYPOINT ["b"]\n',
    ),
    Move("env-env-of-other-names", "ENV A=1\nENV B=2\n"),
    Move("label-label-of-other-keys", "LABEL a=1\nLABEL b=2\n"),
    Move("expose-expose", "EXPOSE 80\nEXPOSE 81\n"),
    Move("shell-exec-form", 'SHELL ["/bin/sh", "-ec"]\nCMD ["start"]\n'),
    Move("shell-healthcheck", 'SHELL ["/bin/sh", "-ec"]\nHEALTHCHECK CMD start\n'),
    Move("user-copy", "USER 1000\nCOPY a.txt /f\n"),
    Move("copy-copy-apart", "COPY a.txt /d/f\nCOPY b.txt /e/f\n"),
    Move("env-copy-without-it", "ENV V=b\nCOPY a.txt /f\n"),
    Move("expose-before-run", "RUN echo 1 > /x\nEXPOSE 80\n"),
    Move("trigger-label", "LABEL a=1\nCOPY a.txt /f\n", base="img/trigger:1"),
)
"""Moves that do not."""
