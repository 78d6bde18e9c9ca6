"""Builds that were recorded with ``docker buildx build --progress=rawjson``.

Every case is a row of builds on one cache; the last one's log is kept. ``BASE`` is a busybox image.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SHOP = """\
FROM BASE AS build
WORKDIR /src
COPY package.txt .
RUN cat package.txt > /deps
COPY . .
RUN cat src/app.txt > /out
FROM BASE
ARG VERSION=1
RUN echo $VERSION > /version
COPY --from=build /out /app/out
CMD ["cat", "/app/out"]
"""
ONE_STAGE = """\
FROM BASE
WORKDIR /src
ENV MODE=fast
COPY . .
RUN cat src/app.txt > /out
"""
LINKED = """\
FROM BASE
WORKDIR /src
COPY package.txt .
RUN cat package.txt > /deps
COPY --link src /app/
RUN cat /app/app.txt > /out
"""
FAILING = SHOP.replace("RUN cat src/app.txt > /out", "RUN cat src/nothing.txt > /out")
FILES = {
    "package.txt": "a 1.0\n",
    "README.md": "# Shop\n",
    "src/app.txt": "one\n",
    ".dockerignore": "*.log\n",
}


@dataclass(frozen=True)
class Built:
    """One build: its Dockerfile, what of the files differs (None: gone), its build arguments."""

    dockerfile: str
    edits: Mapping[str, str | None] = field(default_factory=dict)
    build_args: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path, base: str = "busybox") -> Path:
        """Write the build context to ``folder``, Dockerfile and all."""
        files = {**FILES, **self.edits, "Dockerfile": self.dockerfile.replace("BASE", base)}
        for name, content in files.items():
            path = folder / name
            if content is None:
                path.unlink(missing_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return folder


BEFORE = Built(SHOP)
CASES: dict[str, tuple[Built, ...]] = {
    "cold": (BEFORE,),
    "unchanged": (BEFORE, BEFORE),
    "readme": (BEFORE, Built(SHOP, {"README.md": "# The shop\n"})),
    "source": (BEFORE, Built(SHOP, {"src/app.txt": "two\n"})),
    "build-arg": (BEFORE, Built(SHOP, {}, {"VERSION": "2"})),
    "expose": (BEFORE, Built(SHOP.replace("CMD", "EXPOSE 80\nCMD"))),
    "failed": (BEFORE, Built(FAILING)),
    "one-stage": (Built(ONE_STAGE), Built(ONE_STAGE.replace("fast", "slow"))),
    "linked": (Built(LINKED), Built(LINKED, {"package.txt": "a 2.0\n"})),
    "returned": (BEFORE, Built(SHOP, {"src/app.txt": "two\n"}), BEFORE),
}
"""The builds of every case, in order."""
