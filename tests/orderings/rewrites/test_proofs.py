"""Real builds before and after each rewrite: the images are equal, or the refusal was right."""

from __future__ import annotations

import hashlib
import io
import secrets
import tarfile
from typing import TYPE_CHECKING

import pytest

from bench.builders import BuildOutcome, BuildRequest, PackedContext, make_builder
from bench.cache_model import BuildInput, StepPlace, profile_of
from bench.dockerfile import parse
from bench.equality import compare_images
from bench.orderings.access import Access, AccessSource
from bench.orderings.rewrites import Facts, best_rewrites, find_rewrite, read_contents
from bench.workspace import Manifest
from bench.workspace.manifest import EntryIndex
from bench.workspace.select import select

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import docker

    from bench.equality import ImageComparison

pytestmark = pytest.mark.engine

FILES = {
    "app/package.json": '{"name": "x"}',
    "app/package-lock.json": '{"lockfileVersion": 3, "packages": {"": {}}}',
    "app/conf/a": "a",
    "app/closed/b": "b",
    "app/main.c": "c",
    "README.md": "d",
}
MODES = {"app": 0o775, "app/closed": 0o750, "app/main.c": 0o600, "app/conf": 0o755}
NPM = (
    "printf '#!/bin/sh\\nmkdir -p node_modules && cat package.json package-lock.json "
    "> node_modules/all\\n' > /bin/npm && chmod 755 /bin/npm"
)
PIP = (
    'printf \'#!/bin/sh\\necho $1 > /made\\ncase "$*" in *no-cache*) ;; *) '
    "mkdir -p /root/.cache/pip; echo x > /root/.cache/pip/x;; esac\\n' > /bin/pip "
    "&& chmod 755 /bin/pip"
)
Reading = tuple[list[str], list[str]]

SPLIT = (
    f"RUN {NPM}\nWORKDIR /app\nCOPY --chown=3:4 app/ .\nRUN npm ci\n"
    "RUN cat conf/a node_modules/all > out\n"
)
NARROW = (
    "WORKDIR /s\nCOPY app/ .\nRUN cat conf/a > out\nFROM BASE\nCOPY --from=b /s/out /s/conf /o/\n"
)
IGNORE = (
    "WORKDIR /s\nCOPY . .\nRUN cat app/conf/a > out\n"
    "FROM BASE\nCOPY --from=b /s/out /s/app/conf /o/\n"
)
LATE = (
    'ENV A=/a B=2\nEXPOSE 80\nCMD ["x"]\nENTRYPOINT ["y"]\nLABEL a=b\n'
    "COPY app/main.c $A/\nCOPY README.md /d/\nRUN echo $B > /b\n"
)
CACHE = f"RUN {PIP}\nRUN pip install -q flask\nFROM BASE\nCOPY --from=b /made /\n"
FINAL_CACHE = f"RUN {PIP}\nRUN pip install --no-cache-dir flask\n"
BIND = (
    f"RUN {NPM}\nWORKDIR /app\nCOPY app/package.json app/package-lock.json ./\nRUN npm ci\n"
    "COPY app/ .\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for path, mode in MODES.items():
        (root / path).chmod(mode)
    return root


class Bench:
    """Builds texts with one builder of one engine and compares what comes out."""

    def __init__(self, client: docker.DockerClient, builder: str, base: str, root: Path) -> None:
        self.client, self.builder, self.base, self.root = client, builder, base, root
        self.tags: list[str] = []

    def facts(self, text: str, access: Mapping[tuple[int, int], Reading] | None = None) -> Facts:
        version = self.client.version()["Version"]
        body = text.replace("FROM BASE", f"FROM {self.base}")
        dockerfile = parse(f"FROM {self.base} AS b\nENV SALT={secrets.token_hex(8)}\n{body}")
        selected = select(self.root, "Dockerfile")
        manifest = Manifest(EntryIndex(self.root).entries(selected.nodes))
        return Facts(
            build=BuildInput(dockerfile, manifest),
            profiles=(profile_of(self.builder, version, "graphdriver"),),
            access={
                StepPlace(*place): Access(tuple(reads), tuple(writes), AccessSource.OBSERVED)
                for place, (reads, writes) in (access or {}).items()
            },
            contents=read_contents(self.root, manifest),
        )

    def compare(self, before: Facts, text: str, ignore: str | None = None) -> ImageComparison:
        first = self._build(before.dockerfile.text)
        if ignore is not None:
            (self.root / ".dockerignore").write_text(ignore)
        return compare_images(self.client, first, self._build(text))

    def _build(self, text: str) -> str:
        self.tags.append(f"localhost:1/cachebench-test:{secrets.token_hex(6)}")
        request = BuildRequest(
            context=self._pack(text),
            dockerfile=parse(text),
            dockerfile_path="Dockerfile",
            tag=self.tags[-1],
        )
        build = make_builder(self.builder, self.client).build(request)
        assert build.outcome is BuildOutcome.OK, build
        return self.tags[-1]

    def _pack(self, text: str) -> PackedContext:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for node in select(self.root, "Dockerfile").nodes:
                info = archive.gettarinfo(str(self.root / node.path), node.path)
                info.uid = info.gid = 0
                content = (self.root / node.path).read_bytes() if info.isreg() else b""
                archive.addfile(info, io.BytesIO(content))
            info = tarfile.TarInfo("Dockerfile")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
        path = self.root.parent / f"{len(self.tags)}.tar"
        path.write_bytes(buffer.getvalue())
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        return PackedContext(path, len(buffer.getvalue()), digest, 0.0)


@pytest.fixture(params=["classic", "buildkit"])
def bench(
    request: pytest.FixtureRequest,
    engine_client: docker.DockerClient,
    default_busybox_image: str,
    project: Path,
) -> Iterator[Bench]:
    made = Bench(engine_client, request.param, default_busybox_image, project)
    yield made
    for tag in made.tags:
        engine_client.images.remove(tag, force=True)


@pytest.mark.parametrize(
    ("names", "text", "access"),
    [
        (
            ["split-copy"],
            SPLIT,
            {(0, 7): (["/app/conf", "/app/node_modules"], ["/app/out"])},
        ),
        (["narrow-copy"], NARROW, {(0, 5): (["/s/conf/a"], ["/s/out"])}),
        (["dockerignore"], IGNORE, {(0, 5): (["/s/app/conf/a"], ["/s/out"])}),
        (["late-variables", "metadata-last"], LATE, {}),
        (["package-caches"], CACHE, {}),
        (["bind-manifests"], BIND, {}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_the_image_before_and_after_is_the_same(
    bench: Bench, names: list[str], text: str, access: Mapping[tuple[int, int], Reading]
) -> None:
    facts = bench.facts(text, access)
    done = best_rewrites(facts, names)
    wanted = [name for name in names if bench.builder in find_rewrite(name).builders]
    assert list(dict.fromkeys(one.rewrite for one in done.proposals)) == wanted, done.refusals
    if wanted:
        found = bench.compare(facts, done.dockerfile_text, done.dockerignore_text)
        assert found.equal, found.words()


def test_a_cache_mount_in_the_image_itself_leaves_nothing_behind(
    any_engine: docker.DockerClient, busybox_image: str, project: Path
) -> None:
    bench = Bench(any_engine, "buildkit", busybox_image, project)
    facts = bench.facts(FINAL_CACHE)
    done = best_rewrites(facts, ["package-caches"])
    mounted = facts.dockerfile.text.replace(
        "RUN pip install --no-cache-dir",
        "RUN --mount=type=cache,target=/root/.cache/pip pip install",
    )
    try:
        found = bench.compare(facts, mounted)
    finally:
        for tag in bench.tags:
            any_engine.images.remove(tag, force=True)
    # An early BuildKit leaves the folder: there it is refused, and rightly.
    assert found.equal == done.is_rewritten
    assert done.dockerfile_text == (mounted if found.equal else facts.dockerfile.text)


def test_what_is_refused_would_have_been_another_image(bench: Bench) -> None:
    """A RUN that writes where the COPY puts a file."""
    text = "WORKDIR /app\nCOPY app/ .\nRUN cat conf/a > main.c\n"
    facts = bench.facts(text, {(0, 5): (["/app/conf/a"], ["/app/main.c"])})
    assert not best_rewrites(facts, ["split-copy"]).is_rewritten
    moved = facts.dockerfile.text.replace(
        "COPY app/ .\nRUN cat conf/a > main.c\n",
        "COPY app/conf ./conf/\nRUN cat conf/a > main.c\nCOPY app/ .\n",
    )
    found = bench.compare(facts, moved)
    assert [one.path for one in found.file_differences if one.aspect == "content"] == [
        "/app/main.c"
    ]
