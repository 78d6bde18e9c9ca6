"""What image a Dockerfile makes, by a small machine that shares nothing with the package's rules.

It stands for a builder where thousands of orderings have to be built. A file system is a mapping
from paths to nodes; a RUN leaves a digest of all that it could see, so that two builds are alike
only if every RUN saw the same. Rules as measured on Docker Engine 20.10 and read in moby and
buildkit; the parser alone is that of the package.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from bench.dockerfile import parse
from bench.orderings.access import Access, AccessSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.dockerfile import Dockerfile, Instruction, Stage

ALWAYS_SEEN = ("/etc", "/usr/bin", "/usr/lib", "/usr/local/bin", "/usr/local/lib")


class BuildFailedError(Exception):
    """The builder would refuse this."""


class Node(NamedTuple):
    kind: str
    mode: int
    owner: str
    content: str = ""


@dataclass(frozen=True)
class Base:
    """An image to start from."""

    files: Mapping[str, Node]
    env: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = "/"
    user: str = ""
    cmd: tuple[str, ...] | None = None
    volumes: frozenset[str] = frozenset()
    on_build: tuple[str, ...] = ()


@dataclass
class State:
    """A stage between two instructions."""

    files: dict[str, Node]
    env: dict[str, str]
    args: dict[str, str | None] = field(default_factory=dict)
    config: dict[str, object] = field(default_factory=dict)
    working_dir: str = "/"
    user: str = ""
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    cmd_set: bool = False
    runs: list[str] = field(default_factory=list)

    def image(self) -> object:
        """What counts when two images are compared."""
        return (
            sorted(self.files.items()),
            sorted(self.env.items()),
            self.working_dir,
            self.user,
            self.shell,
            sorted(
                (key, str(sorted(value) if isinstance(value, frozenset) else value))
                for key, value in self.config.items()
            ),
        )


@dataclass(frozen=True)
class Machine:
    """One builder. ``merges_links`` says that ``COPY --link`` is a layer of its own."""

    buildkit: bool
    bases: Mapping[str, Base]
    context: Mapping[str, Node]
    build_args: Mapping[str, str] = field(default_factory=dict)
    merges_links: bool = False

    def build(self, text: str) -> list[object]:
        """Return the image of every stage.

        Raises:
            BuildFailedError: an instruction is refused.

        """
        return _Build(self, parse(text)).stages()


def reads_and_writes(command: str) -> Access | None:
    """Read ``tool reads=/a,/b writes=/c``, the RUN whose files are known."""
    found = re.fullmatch(r"tool reads=(\S*) writes=(\S*)", command)
    if found is None:
        return None
    reads, writes = (tuple(one for one in part.split(",") if one) for part in found.groups())
    return Access(reads, writes, AccessSource.DECLARED)


class _Build:
    def __init__(self, machine: Machine, dockerfile: Dockerfile) -> None:
        self.machine = machine
        self.dockerfile = dockerfile
        self.states: dict[str, State] = {}

    def stages(self) -> list[object]:
        images = []
        for stage in self.dockerfile.stages:
            state, triggers = self._begin(stage)
            for trigger in triggers:
                parsed = parse(f"FROM scratch\n{trigger}")
                self._step(parsed.stages[0].instructions[1], state, "")
            for instruction in stage.instructions[1:]:
                self._step(instruction, state, self._body(instruction))
            _check_volumes(state)  # no container could be made of it
            self.states[stage.name or str(stage.index)] = state
            images.append(state.image())
        return images

    def _body(self, instruction: Instruction) -> str:
        lines = self.dockerfile.text.split("\n")[instruction.line : instruction.end_line - 1]
        return "\n".join(lines) if "<<" in instruction.text else ""

    def _begin(self, stage: Stage) -> tuple[State, tuple[str, ...]]:
        if stage.base in self.states:
            parent = self.states[stage.base]
            inherited = dict(parent.args) if self.machine.buildkit else {}
            triggers = parent.config.get("ONBUILD", ())
            config = {key: one for key, one in parent.config.items() if key != "ONBUILD"}
            state = replace(
                parent,
                files=dict(parent.files),
                env=dict(parent.env),
                args=inherited,
                config=config,
                cmd_set=False,
                runs=[],
            )
            assert isinstance(triggers, tuple)
            return state, triggers
        base = self.machine.bases[stage.base]
        state = State(
            dict(base.files), dict(base.env), working_dir=base.working_dir, user=base.user
        )
        state.config["CMD"] = base.cmd
        state.config["VOLUME"] = base.volumes
        return state, base.on_build

    def _step(self, one: Instruction, state: State, body: str) -> None:
        if not self.machine.buildkit and one.keyword not in {"COPY", "ADD"}:
            self._container(one, state)
        getattr(self, f"_{one.keyword.lower()}")(one, state, body)
        if not self.machine.buildkit and one.keyword not in {"COPY", "ADD", "RUN"}:
            self._container(one, state)

    def _container(self, _: Instruction, state: State) -> None:
        """The classic builder makes a container, and its working directory with it."""
        _make_folders(state.files, state.working_dir, Node("dir", 0o755, "0:0"))
        _check_volumes(state)

    def _variables(self, state: State) -> dict[str, str]:
        given = {
            name: self.machine.build_args.get(name, default) for name, default in state.args.items()
        }
        known = {name: value for name, value in given.items() if value is not None}
        if self.machine.buildkit:
            return dict(state.env) | {
                name: value for name, value in known.items() if name in self._newer(state)
            }
        return known | state.env

    def _newer(self, state: State) -> set[str]:
        """The ARGs that stand after an ENV of their name, or whose name no ENV has."""
        return {name for name in state.args if f"\0{name}" not in state.config}

    def _expand(self, word: str, state: State) -> str:
        variables = self._variables(state)

        def value(match: re.Match[str]) -> str:
            name, default = match["long"] or match["short"], match["default"]
            return variables.get(name) or default or ""

        pattern = r"\$\{(?P<long>\w+)(?::-(?P<default>[^}]*))?\}|\$(?P<short>\w+)"
        return re.sub(pattern, value, word).replace('"', "")

    # Instructions, by keyword.

    def _env(self, one: Instruction, state: State, _: str) -> None:
        words = [self._expand(word, state) for word in one.arguments]
        for name, value in zip(words[::2], words[1::2], strict=False):
            state.env[name] = value
            state.config[f"\0{name}"] = True  # an ARG of that name is older now

    def _arg(self, one: Instruction, state: State, _: str) -> None:
        for word in one.arguments:
            name, has_default, default = word.partition("=")
            state.args[name] = self._expand(default, state) if has_default else None
            state.config.pop(f"\0{name}", None)

    def _user(self, one: Instruction, state: State, _: str) -> None:
        state.user = self._expand(one.arguments[0], state)

    def _shell(self, one: Instruction, state: State, _: str) -> None:
        state.shell = one.arguments

    def _workdir(self, one: Instruction, state: State, _: str) -> None:
        path = self._expand(one.arguments[0], state)
        state.working_dir = posixpath.normpath(posixpath.join(state.working_dir, path))
        owner = self._owner(state, state.user) if self.machine.buildkit else "0:0"
        _make_folders(state.files, state.working_dir, Node("dir", 0o755, owner))

    def _words(self, one: Instruction, state: State) -> tuple[str, ...]:
        return one.arguments if one.exec_form else (*state.shell, *one.arguments)

    def _cmd(self, one: Instruction, state: State, _: str) -> None:
        state.config["CMD"] = self._words(one, state)
        if self.machine.buildkit or one.arguments:
            state.cmd_set = True

    def _entrypoint(self, one: Instruction, state: State, _: str) -> None:
        state.config["ENTRYPOINT"] = self._words(one, state)
        if not state.cmd_set:
            state.config["CMD"] = None

    def _label(self, one: Instruction, state: State, _: str) -> None:
        words = [self._expand(word, state) for word in one.arguments]
        for key, value in zip(words[::2], words[1::2], strict=False):
            state.config[f"LABEL {key}"] = value

    def _expose(self, one: Instruction, state: State, _: str) -> None:
        ports = {self._expand(word, state) for word in one.arguments}
        known = state.config.get("EXPOSE", ())
        assert isinstance(known, tuple)
        state.config["EXPOSE"] = tuple(sorted({*known, *ports}))

    def _volume(self, one: Instruction, state: State, _: str) -> None:
        paths = {self._expand(word, state) for word in one.arguments}
        state.config["VOLUME"] = frozenset({*_volumes(state), *paths})

    def _stopsignal(self, one: Instruction, state: State, _: str) -> None:
        state.config["STOPSIGNAL"] = self._expand(one.arguments[0], state)

    def _healthcheck(self, one: Instruction, state: State, _: str) -> None:
        state.config["HEALTHCHECK"] = one.text

    def _maintainer(self, one: Instruction, state: State, _: str) -> None:
        state.config["MAINTAINER"] = one.arguments

    def _onbuild(self, one: Instruction, state: State, _: str) -> None:
        known = state.config.get("ONBUILD", ())
        assert isinstance(known, tuple)
        state.config["ONBUILD"] = (*known, one.text.partition(" ")[2])

    def _run(self, one: Instruction, state: State, body: str) -> None:
        command = " ".join(one.arguments)
        known = reads_and_writes(command)
        shell = () if one.exec_form else state.shell
        seen: list[object] = [command, body, shell, state.working_dir, state.user]
        seen.append(sorted(self._variables(state).items()))
        volumes = () if self.machine.buildkit else _volumes(state)
        for volume in volumes:  # its mount point is made in the layer
            _make_folders(state.files, volume, Node("dir", 0o755, "0:0"))
        if known is None:
            seen.append(sorted(state.files.items()))
            writes: tuple[str, ...] = (f"/out/{_digest(command)[:6]}", *_named(command))
        else:
            places = [_resolve(state.files, one) for one in (*known.reads, *ALWAYS_SEEN)]
            seen.append([item for item in sorted(state.files.items()) if _inside(item[0], places)])
            writes = known.writes
        result = _digest(seen)
        for path in writes:
            target = _resolve(state.files, path)
            if _inside(target, volumes):
                continue  # lost with the volume
            if known is None:
                _make_folders(state.files, posixpath.dirname(target), Node("dir", 0o750, "9:9"))
            elif posixpath.dirname(target) not in state.files:
                continue  # it makes no folder that is not declared
            _put(state.files, target, Node("file", 0o644, "9:9", result))
        state.runs.append(result)
        # A RUN leaves a trace of what it saw even where it writes nothing.
        state.config[f"RUN {command}"] = result

    def _add(self, one: Instruction, state: State, body: str) -> None:
        self._copy(one, state, body)

    def _copy(self, one: Instruction, state: State, body: str) -> None:
        if self.machine.merges_links and "--link" in one.flags:
            layer: dict[str, Node] = {"/": Node("dir", 0o755, "0:0")}
            self._transfer(one, replace(state, files=layer), state, body)
            _merge(state.files, layer)
        else:
            self._transfer(one, state, state, body)

    def _transfer(self, one: Instruction, into: State, state: State, body: str) -> None:
        chown = one.flag("chown")
        owner = self._owner(state, self._expand(chown, state)) if chown else None
        destination = self._expand(one.arguments[-1], state)
        folder = destination in {".", ""} or destination.endswith(("/", "/."))
        target = posixpath.normpath(posixpath.join(state.working_dir, destination))
        origin = one.flag("from")
        if origin is not None and origin not in self.states:
            raise BuildFailedError(f"no stage {origin}")
        files = self.states[origin].files if origin else self.machine.context
        for word in one.arguments[:-1]:
            if word.startswith("<<"):
                document = Node("file", 0o644, "0:0", self._expand(body, state))
                self._put_file(into.files, document, word[2:], target, folder, owner)
                continue
            for source in _sources(files, self._expand(word, state)):
                node = files.get(source, Node("dir", 0o755, "0:0"))
                if node.kind == "dir":
                    self._put_folder(into.files, files, source, target, owner)
                elif one.keyword == "ADD" and source.endswith(".tar"):
                    self._unpack(into.files, node, target)
                else:
                    name = posixpath.basename(source)
                    self._put_file(into.files, node, name, target, folder, owner)

    def _put_file(
        self,
        files: dict[str, Node],
        node: Node,
        name: str,
        target: str,
        folder: bool,
        owner: str | None,
    ) -> None:
        resolved = _resolve(files, target)
        if folder or (resolved in files and files[resolved].kind == "dir"):
            resolved = posixpath.join(resolved, name)
        looks = Node("dir", 0o755, owner or "0:0")
        _make_folders(files, posixpath.dirname(resolved), looks)
        _put(files, resolved, node._replace(owner=owner or node.owner))

    def _put_folder(
        self,
        files: dict[str, Node],
        origin: Mapping[str, Node],
        source: str,
        target: str,
        owner: str | None,
    ) -> None:
        looks = Node("dir", 0o755, owner or "0:0")
        above = looks if self.machine.buildkit else Node("dir", 0o755, "0:0")
        resolved = _resolve(files, target)
        _make_folders(files, posixpath.dirname(resolved), above)
        _make_folders(files, resolved, looks)
        prefix = source.rstrip("/") + "/"
        for path, node in sorted(origin.items()):
            if path.startswith(prefix):
                place = _resolve(files, posixpath.join(resolved, path[len(prefix) :]), last=False)
                _put(files, place, node._replace(owner=owner or node.owner))

    def _unpack(self, files: dict[str, Node], node: Node, target: str) -> None:
        resolved = _resolve(files, target)
        _make_folders(files, resolved, Node("dir", 0o755, "0:0"))
        for name in node.content.split():
            place = posixpath.join(resolved, name)
            _make_folders(files, posixpath.dirname(place), Node("dir", 0o700, "3:3"))
            _put(files, place, Node("file", 0o600, "3:3", name))

    def _owner(self, state: State, name: str) -> str:
        if name in {"", "root", "0", "0:0"}:
            return "0:0"
        user = name.partition(":")[0]
        if user.isdigit():
            return name
        passwd = state.files.get("/etc/passwd")
        known = dict(line.split("=") for line in (passwd.content if passwd else "").split())
        if user not in known:
            raise BuildFailedError(f"no user {user}")
        return known[user]


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()


def _volumes(state: State) -> frozenset[str]:
    known = state.config.get("VOLUME", frozenset())
    assert isinstance(known, frozenset)
    return known


def _check_volumes(state: State) -> None:
    """Refuse a file where a volume is to be mounted (moby ``daemon/create_unix.go``)."""
    for volume in _volumes(state):
        node = state.files.get(_resolve(state.files, volume))
        if node is not None and node.kind != "dir":
            raise BuildFailedError("a volume over a file")


def _inside(path: str, places: object) -> bool:
    assert isinstance(places, (list, tuple, frozenset))
    return any(path == one or path.startswith(one.rstrip("/") + "/") for one in places)


def _named(command: str) -> Iterator[str]:
    """Yield the paths that a RUN names with ``>``."""
    yield from re.findall(r"> ?(/\S+)", command)


def _resolve(files: Mapping[str, Node], path: str, *, last: bool = True) -> str:
    """Follow the links on the way to ``path``."""
    reached = "/"
    pending = [part for part in path.split("/") if part]
    for _ in range(40):
        if not pending:
            return reached
        part = pending.pop(0)
        here = posixpath.join(reached, part)
        node = files.get(here)
        if node is None or node.kind != "link" or (not pending and not last):
            reached = here
            continue
        goal = posixpath.normpath(posixpath.join(reached, node.content))
        pending = [one for one in goal.split("/") if one] + pending
        reached = "/"
    raise BuildFailedError("links go round")


def _make_folders(files: dict[str, Node], path: str, looks: Node) -> None:
    resolved = _resolve(files, path)
    missing = []
    while resolved not in files:
        missing.append(resolved)
        resolved = posixpath.dirname(resolved)
    if files[resolved].kind != "dir":
        raise BuildFailedError(f"{resolved} is no folder")
    for one in missing:
        files[one] = looks


def _put(files: dict[str, Node], path: str, node: Node) -> None:
    there = files.get(path)
    if there is not None and (there.kind == "dir") != (node.kind == "dir"):
        raise BuildFailedError(f"{path} is something else")
    files[path] = node


def _merge(files: dict[str, Node], layer: Mapping[str, Node]) -> None:
    """Lay a layer over the files: its folders' looks win, links are not followed."""
    for path, node in sorted(layer.items()):
        there = files.get(path)
        if there is not None and there.kind != node.kind:
            raise BuildFailedError(f"{path} is something else")
        if path != "/":
            files[path] = node


def _sources(files: Mapping[str, Node], word: str) -> list[str]:
    path = posixpath.normpath("/" + word.lstrip("/"))
    if "*" in path:
        pattern = re.escape(path).replace(r"\*", "[^/]*")
        found = sorted(one for one in files if re.fullmatch(pattern, one))
    else:
        found = [path] if path in files or path == "/" else []
    if not found:
        raise BuildFailedError(f"no {word}")
    return found
