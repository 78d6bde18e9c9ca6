"""The Dockerfiles whose builds are recorded; ``BASE`` stands for a small image with a shell.

Each is built several times on one salt. What must come of it is in ``test_recordings.py``,
derived by hand from the builders' rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FILES = {"a.txt": "a\n", "b.txt": "b\n"}
CHANGED = {**FILES, "a.txt": "changed\n"}
COLD, AGAIN, EDIT = ("cold", FILES), ("again", FILES), ("edit", CHANGED)


@dataclass(frozen=True)
class Case:
    """One Dockerfile and the contexts it is built with, one after another."""

    name: str
    text: str
    builds: tuple[tuple[str, Mapping[str, str]], ...] = (COLD, AGAIN)
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 60.0
    modern: bool = False
    """Only BuildKit of a recent engine can build it."""


CASES = (
    Case(
        "two-stages",
        """\
FROM BASE AS builder
WORKDIR /src
COPY a.txt .
RUN cat a.txt > out
FROM BASE
LABEL x=y
WORKDIR /app
COPY --from=builder /src/out .
RUN cat out
CMD ["cat", "out"]
""",
        builds=(COLD, AGAIN, EDIT),
    ),
    Case(
        "merged",
        """\
FROM BASE AS one
RUN echo same > /same
FROM BASE AS two
RUN echo same > /same
RUN echo two > /two
FROM BASE
COPY --from=one /same /one
COPY --from=two /two /two
""",
    ),
    Case(
        "root-workdir",
        """\
FROM BASE
WORKDIR /
ENV ROOT=/
RUN pwd > /1
WORKDIR /a
WORKDIR ${ROOT}
COPY a.txt /2
WORKDIR /a
WORKDIR ..
COPY b.txt /3
""",
        builds=(COLD, AGAIN, EDIT),
    ),
    Case(
        "on-build",
        """\
FROM BASE AS parent
ONBUILD RUN echo trigger > /trigger
ONBUILD LABEL from=parent
ONBUILD COPY a.txt /triggered
RUN echo parent > /parent
FROM parent AS child
COPY b.txt /b
RUN echo child > /child
FROM child
COPY a.txt /last
""",
        builds=(COLD, AGAIN, EDIT),
    ),
    Case(
        "on-build-image",
        """\
FROM ONBUILD_BASE
COPY a.txt /own
RUN echo own > /ran
""",
    ),
    Case(
        "from-image",
        """\
FROM BASE
COPY --from=BASE /bin/busybox /copied
RUN echo after > /after
COPY a.txt /a
""",
        builds=(COLD, AGAIN, EDIT),
    ),
    Case(
        "failed",
        """\
FROM BASE AS slow
RUN echo quick > /q
RUN sleep 5
FROM BASE AS bad
RUN sleep 1; echo about to fail; false
RUN echo never > /n
FROM BASE AS last
COPY --from=slow /q /
COPY --from=bad /n /
CMD ["x"]
""",
        builds=(COLD, AGAIN),
    ),
    Case(
        "missing-file",
        """\
FROM BASE
RUN echo x > /x
COPY nowhere.txt /
RUN echo y > /y
""",
    ),
    Case("missing-image", "FROM localhost:1/cachebench-nowhere:1\nRUN true\n", builds=(COLD,)),
    Case(
        "timeout",
        """\
FROM BASE
RUN echo x > /x
RUN sleep 60
RUN echo y > /y
""",
        builds=(COLD,),
        timeout_seconds=3.0,
    ),
    Case(
        "target",
        """\
FROM BASE AS first
COPY a.txt /1
FROM BASE AS unused
COPY a.txt /u
FROM first AS Middle
COPY a.txt /2
FROM middle
COPY a.txt /3
""",
        target="middle",
    ),
    Case(
        "global-arg",
        """\
ARG WHICH=one
ARG UNUSED
FROM BASE AS one
COPY a.txt /one
FROM BASE AS two
COPY a.txt /two
FROM ${WHICH} AS last
ARG WHICH
RUN echo ${WHICH} > /w
""",
        build_args={"WHICH": "two"},
    ),
    Case(
        "pretender",
        """\
FROM BASE
RUN echo "Step 3/5 : RUN x" && echo " ---> Using cache" && sleep 1 && \\
    echo "Successfully built 0123456789ab" && sleep 1
RUN echo " ---> Using cache"; echo "Step 4/5 : COPY a.txt /a"; echo " ---> Using cache"
COPY a.txt /a
CMD ["x"]
""",
        builds=(COLD, AGAIN, EDIT),
    ),
    Case(
        "names",
        """\
FROM BASE AS App
COPY a.txt /1
FROM BASE AS App-Test
COPY a.txt /2
COPY b.txt /3
FROM BASE AS application
COPY a.txt /4
FROM BASE
COPY --from=APP /1 /
COPY --from=app-test /2 /3 /
COPY --from=Application /4 /
""",
        builds=(COLD, AGAIN, EDIT),
    ),
    Case(
        "many-steps",
        "FROM BASE AS builder\n"
        + "".join(f"COPY b.txt /{number}\n" for number in range(2, 10))
        + "COPY a.txt /10\nRUN echo eleven\nCOPY b.txt /12\n"
        + "FROM BASE\nCOPY --from=builder /12 /12\nCOPY --from=builder /10 /10\n",
        builds=(COLD, AGAIN, EDIT),
    ),
    Case(
        "scratch",
        """\
FROM BASE AS builder
COPY a.txt /a
FROM scratch
COPY --from=builder /a /a
""",
        builds=(COLD, AGAIN, EDIT),
    ),
    Case(
        "critical",
        """\
FROM BASE AS builder
COPY a.txt /a
RUN sleep 2; cp /a /made
FROM BASE AS side
COPY a.txt /a
RUN sleep 1; cp /a /side
FROM BASE
WORKDIR /app
RUN echo kept > kept
COPY --from=side /side /side
COPY --from=builder /made /made
""",
        builds=(COLD, EDIT),
    ),
    Case(
        "link",
        """\
FROM BASE
COPY a.txt /before
COPY --link b.txt /linked
RUN echo after > /after
""",
        builds=(COLD, AGAIN, EDIT),
        modern=True,
    ),
    Case(
        "mounts",
        """\
FROM BASE AS made
RUN echo made > /made
FROM BASE
RUN --mount=type=bind,source=b.txt,target=/b cat /b > /bound
RUN --mount=type=bind,from=made,source=/made,target=/m cat /m > /mounted
RUN --mount=type=cache,target=/cache,id=MOUNT_ID echo x > /cache/x
RUN --mount=type=bind,target=/context cat /context/a.txt > /whole
""",
        builds=(COLD, AGAIN, EDIT),
        modern=True,
    ),
    Case(
        "heredocs",
        """\
FROM BASE
RUN <<EOF
echo [stage-0 9/9] RUN no
echo done > /1
EOF
COPY <<ONE <<TWO /dir/
one
ONE
two
TWO
RUN <<EOF
#!/bin/sh
echo script > /2
EOF
COPY a.txt /3
""",
        builds=(COLD, AGAIN, EDIT),
        modern=True,
    ),
)
