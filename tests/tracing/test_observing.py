"""RUNs of real builds, watched. Only root on the engine's own machine can do that."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

from bench.bases.cleanup import RUN_REPOSITORY
from bench.builders import BuildRequest, make_builder
from bench.cache_model import BuildInput, StepPlace, find_profile
from bench.dockerfile import parse
from bench.equality import compare_images
from bench.errors import ExitCode
from bench.orderings.access import Access, AccessSource
from bench.orderings.legality import partial_order
from bench.orderings.ordering import Ordering, arrange
from bench.orderings.rewrites import Facts, find_rewrite
from bench.tracing import CannotObserveError, Observation, WatchedBuildError, observe, runs_of
from tests.tracing.subjects import CONTEXT, subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.tracing import Subject

pytestmark = pytest.mark.engine
ROOT = Path(__file__).parents[2]

SCRIPTS = {
    "reads one file": "cat a.txt",
    "lists a folder": "ls src",
    "looks in vain": "cat missing || true",
    "writes": "echo x >made",
    "renames": "mv made moved",
    "deletes": "rm -r lonely",
    "goes elsewhere in a subshell": "(cd src && (cd .. && cat docs/page) && cat two) & wait",
    "follows links": "cat /link/one",
    "writes through a link": "echo y >>/link/two",
    "runs a script": "./go.sh",
    "changes": "chmod 600 build.sh",
}


def written_out(base: str) -> str:
    """Return a Dockerfile with a RUN for every script."""
    runs = "".join(f"RUN {script}\n" for script in SCRIPTS.values())
    prepared = "ln -s /app/src /link && printf '#!/bin/sh\\ncat a.txt' >go.sh && chmod +x go.sh"
    return f"FROM {base}\nWORKDIR /app\nCOPY . .\nRUN {prepared}\n{runs}"


@pytest.fixture(scope="module", params=["buildkit", "classic"])
def watched(
    request: pytest.FixtureRequest,
    engine_client: docker.DockerClient,
    default_busybox_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Observation:
    """What one build with a RUN for every script showed, on each builder."""
    text = written_out(default_busybox_image)
    made = subject(text, tmp_path_factory.mktemp("watched"))
    return observe(engine_client, made, builder=request.param, progress=print)


def below_app(paths: tuple[str, ...]) -> set[str]:
    return {path.removeprefix("/app/") for path in paths if path.startswith("/app/")}


def of(watched: Observation, name: str) -> Access:
    return watched.accesses[StepPlace(0, 5 + list(SCRIPTS).index(name))]


def test_every_run_is_watched(watched: Observation) -> None:
    assert not watched.unobserved
    assert len(watched.accesses) == len(watched.seconds) == len(SCRIPTS) + 1
    assert all(one.source is AccessSource.OBSERVED for one in watched.accesses.values())


@pytest.mark.parametrize(
    ("name", "reads", "writes"),
    [
        ("reads one file", {"a.txt"}, set()),
        ("lists a folder", {"src"}, set()),
        ("looks in vain", {"missing"}, set()),
        ("writes", set(), {"made"}),
        ("renames", set(), {"made", "moved"}),
        ("deletes", set(), {"lonely"}),
        ("goes elsewhere in a subshell", {"src/.", "docs/page", "src/two"}, set()),
        ("follows links", {"src/one"}, set()),
        ("writes through a link", set(), {"src/two"}),
        ("runs a script", {"go.sh", "a.txt"}, set()),
        ("changes", set(), {"build.sh"}),
    ],
)
def test_what_a_run_reads_and_writes(
    watched: Observation, name: str, reads: set[str], writes: set[str]
) -> None:
    access = of(watched, name)
    assert below_app(access.reads) - {"."} == reads
    assert below_app(access.writes) == writes


def test_a_link_that_is_passed_is_read_itself(watched: Observation) -> None:
    assert "/link/." in of(watched, "follows links").reads
    assert "/link/." in of(watched, "writes through a link").reads


def test_nothing_is_left_behind(watched: Observation, engine_client: docker.DockerClient) -> None:
    del watched
    assert leavings(engine_client) == []


def leavings(client: docker.DockerClient, *marks: str) -> list[str]:
    """Return what watching leaves if it does not clean up.

    Of the processes of this machine only those whose command line holds one of ``marks``, and of
    the folders for traces only those in the folder of temporary files of this very test.
    """
    tags = [tag for image in client.api.images() for tag in image["RepoTags"] or ()]
    found = [tag for tag in tags if tag.startswith(f"{RUN_REPOSITORY}watch-")]
    for container in client.containers.list(all=True):
        command = str(container.attrs["Config"]["Cmd"])
        found += [command] if "cachebench-watch-" in command else []
    if tempfile.tempdir is not None:
        found += [str(path) for path in Path(tempfile.tempdir).glob("cachebench-watch-*")]
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if any(mark in words for mark in marks) and words.startswith(
                ("strace", "sleep", "/bin")
            ):
                found.append(words)
    return found


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others may watch on this machine at the same time."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


@pytest.fixture
def app(default_busybox_image: str, tmp_path: Path) -> Subject:
    """An application whose build script reads only a part of what is copied before it."""
    return subject(
        f"FROM {default_busybox_image}\nWORKDIR /app\nCOPY build.sh ./\nCOPY src src\n"
        "COPY docs docs\nRUN sh build.sh\n",
        tmp_path,
    )


def test_a_run_that_was_watched_may_pass_what_it_does_not_read(
    app: Subject, engine_client: docker.DockerClient
) -> None:
    profiles = [find_profile("classic"), find_profile("buildkit")]
    build = BuildInput(app.dockerfile, app.workspace.manifest())
    seen = observe(engine_client, app, progress=print)
    past_docs = Ordering.written(app.dockerfile).with_stage(0, [1, 2, 3, 4, 6, 5])
    past_source = Ordering.written(app.dockerfile).with_stage(0, [1, 2, 3, 5, 6, 4])
    unknown = partial_order(build, profiles)
    known = partial_order(build, profiles, seen.accesses)
    assert not unknown.allows(past_docs)
    assert known.allows(past_docs)
    assert not known.allows(past_source)
    assert any("watched" in one.text or "seen" in one.text for one in known.obligations(past_docs))


def test_what_was_seen_keeps_the_image_the_same(
    app: Subject, engine_client: docker.DockerClient
) -> None:
    """Both orders are built, the written one and one that only watching allows."""
    seen = observe(engine_client, app, progress=print)
    build = BuildInput(app.dockerfile, app.workspace.manifest())
    moved = Ordering.written(app.dockerfile).with_stage(0, [1, 2, 3, 4, 6, 5])
    assert partial_order(build, [find_profile("buildkit")], seen.accesses).allows(moved)
    texts = (app.dockerfile.text, arrange(app.dockerfile, moved))
    first, second = (built(engine_client, app, text) for text in texts)
    try:
        assert compare_images(engine_client, first, second).equal
    finally:
        for image in (first, second):
            engine_client.images.remove(image, force=True)


def built(client: docker.DockerClient, app: Subject, text: str) -> str:
    """Build a text in the context of ``app`` and return the image."""
    request = BuildRequest(
        context=app.workspace.pack(replace={"Dockerfile": text.encode()}),
        dockerfile=parse(text),
        dockerfile_path="Dockerfile",
        tag="",
    )
    build = make_builder("buildkit", client).build(request)
    assert build.image_id is not None, build.error
    return build.image_id


def test_what_a_run_was_seen_to_read_is_copied_before_it(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    """Of the whole tree the build script reads itself and one source, and that was seen."""
    text = f"FROM {default_busybox_image}\nWORKDIR /app\nCOPY . .\nRUN cd src && sh ../build.sh\n"
    files = {**CONTEXT, "build.sh": "cat one >/out\n"}
    made = subject(text, tmp_path, files=files)
    seen = observe(engine_client, made, progress=print)
    build = BuildInput(made.dockerfile, made.workspace.manifest())
    profiles = (find_profile("classic"), find_profile("buildkit"))
    split = find_rewrite("split-copy")
    assert split.proposals(Facts(build, profiles)) == []
    (proposal,) = split.proposals(Facts(build, profiles, access=seen.accesses))
    lines = proposal.dockerfile_text.splitlines()
    assert lines[2:] == ["COPY build.sh ./", "COPY src/one ./src/", made_run(text), "COPY . ."]


def made_run(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("RUN"))


def test_stages_mounts_and_images_without_a_shell(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    made = subject(
        f"FROM {default_busybox_image} AS tools\nSHELL [\"/bin/ash\", \"-c\"]\n"
        "RUN --mount=type=cache,target=/keep echo 1 >/keep/x && test $0 = /bin/ash && mkdir /t\n"
        "FROM tools AS unneeded\nRUN false\n"
        "FROM scratch\nCOPY --from=tools /bin/busybox /busybox\nCOPY a.txt /\n"
        'RUN ["/busybox", "cat", "/a.txt"]\n',
        tmp_path,
    )  # fmt: skip
    assert runs_of(made, "buildkit") == {StepPlace(0, 3), StepPlace(2, 4)}
    seen = observe(engine_client, made, progress=print)
    assert seen.accesses[StepPlace(0, 3)].writes == ("/keep/x", "/t")
    assert list(seen.unobserved) == [StepPlace(2, 4)]
    assert "no /bin/sh" in seen.unobserved[StepPlace(2, 4)]
    assert leavings(engine_client) == []


def test_a_build_without_a_run_is_not_made(
    engine_client: docker.DockerClient, tmp_path: Path
) -> None:
    made = subject("FROM nowhere.invalid/none\nCOPY . /\n", tmp_path)
    assert observe(engine_client, made, progress=print) == Observation({})


@pytest.mark.parametrize("builder", ["buildkit", "classic"])
def test_a_build_that_fails_says_what_failed(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path, builder: str
) -> None:
    made = subject(f"FROM {default_busybox_image}\nRUN echo no luck; exit 3\n", tmp_path)
    with pytest.raises(WatchedBuildError, match="no luck") as caught:
        observe(engine_client, made, builder=builder, progress=print)
    assert caught.value.exit_code is ExitCode.BUILD_FAILED
    assert leavings(engine_client) == []


def test_it_works_on_every_engine(
    any_engine: docker.DockerClient, busybox_image: str, tmp_path: Path
) -> None:
    made = subject(f"FROM {busybox_image}\nCOPY . /app\nRUN cat /app/src/one >/x\n", tmp_path)
    seen = observe(any_engine, made, progress=print)
    (access,) = seen.accesses.values()
    assert below_app(access.reads) == {"src/one"}
    assert access.writes == ("/x",)


OBSERVE = """
import sys
from pathlib import Path
from bench.engine import connect
from bench.errors import BenchError
from bench.tracing import observe
from tests.tracing.subjects import CONTEXT, subject
made = subject(Path(sys.argv[1]).read_text(), Path(sys.argv[2]))
try:
    print(observe(connect(), made, progress=print))
except BenchError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


SECONDS = f"60.{os.getpid():07}"
"""How long a slow RUN takes: no other process of the machine sleeps for that long."""


@pytest.fixture
def slow(default_busybox_image: str, tmp_path: Path) -> list[str]:
    """The words that begin to watch a RUN which takes a minute."""
    file = tmp_path / "Dockerfile"
    file.write_text(f"FROM {default_busybox_image}\nRUN sleep {SECONDS}; true\n")
    return [sys.executable, "-c", OBSERVE, str(file), str(tmp_path)]


def test_ctrl_c_leaves_nothing_behind(
    slow: list[str], engine_client: docker.DockerClient, tmp_path: Path
) -> None:
    process = subprocess.Popen(slow, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    marks = (str(tmp_path / "tmp"), SECONDS)
    wait_until(lambda: any(one.startswith("sleep") for one in leavings(engine_client, *marks)))
    assert any(one.startswith("strace") for one in leavings(engine_client, *marks))
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in said
    wait_until(lambda: leavings(engine_client, *marks) == [])


def test_a_run_whose_strace_ends_too_early_counts_as_not_watched(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    made = subject(f"FROM {default_busybox_image}\nRUN sleep 3; true\n", tmp_path)

    def kill() -> None:
        wait_until(lambda: bool(straces_below(tmp_path)))
        time.sleep(0.5)
        for pid in straces_below(tmp_path):
            os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        seen = observe(engine_client, made, progress=print)
    except WatchedBuildError:
        pytest.fail("the RUN ended with its strace")
    finally:
        killer.join()
    assert seen.accesses == {}
    assert "strace ended before the RUN did" in seen.unobserved[StepPlace(0, 2)]


def straces_below(folder: Path) -> list[int]:
    """Return the processes of strace that write below a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = process.read_bytes().split(b"\0")
            if words[0] == b"strace" and any(str(folder).encode() in word for word in words):
                found.append(int(process.parent.name))
    return found


def said_by(*command: str) -> str:
    """Return what a command says before it fails."""
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 1
    return done.stderr


def test_without_the_right_to_watch_it_says_what_forbids_it(
    slow: list[str], engine_client: docker.DockerClient, tmp_path: Path
) -> None:
    """A root without capabilities may neither look at a container's process nor attach to it."""
    less = ("setpriv", "--bounding-set=-sys_ptrace,-chown", "--inh-caps=-sys_ptrace,-chown")
    said = said_by(*less, *slow)
    assert "CannotObserveError" in said
    assert "Permission denied" in said or "not permitted" in said
    wait_until(lambda: leavings(engine_client, str(tmp_path / "tmp"), SECONDS) == [])


def test_where_the_processes_of_the_engine_cannot_be_seen_it_says_so(
    slow: list[str], engine_client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is in a container that has the engine's socket, and no more, of its machine."""
    # Named, since a private engine whose process cannot be seen would be started once more.
    api: Any = engine_client.api
    monkeypatch.setenv("DOCKER_HOST", f"unix://{api._custom_adapter.socket_path}")
    said = said_by("unshare", "--pid", "--fork", "--mount-proc", *slow)
    assert "the processes of the engine cannot be seen from here" in said
    assert "--pid=host" in said


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.1)


def test_strace_must_be_there(
    app: Subject,
    engine_client: docker.DockerClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotObserveError, match="strace is not installed") as caught:
        observe(engine_client, app, progress=print)
    assert "bench engine start --install" in caught.value.remedy
    assert caught.value.exit_code is ExitCode.NO_ENGINE


def test_strace_must_be_new_enough(
    app: Subject,
    engine_client: docker.DockerClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "strace").write_text("#!/bin/sh\necho strace -- version 4.26\n")
    (tmp_path / "strace").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(CannotObserveError, match=r"version 4\.26; 5\.10 or newer"):
        observe(engine_client, app, progress=print)


def test_an_engine_elsewhere_cannot_be_watched(app: Subject) -> None:
    client = docker.DockerClient(base_url="tcp://192.0.2.1:2375", version="1.41")
    with pytest.raises(CannotObserveError, match="on another machine") as caught:
        observe(client, app, progress=print)
    assert "socket" in caught.value.remedy


def test_only_root_can_watch(
    app: Subject, engine_client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotObserveError, match="only root"):
        observe(engine_client, app, progress=print)
