"""Walk through a state's Dockerfile and find out whether it would build.

Each stage is followed with the files and variables it would have; `Stage` is also what the
generator asks for something that the next instruction may refer to.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from bench.dockerfile import expand, parse
from bench.errors import DockerfileError
from tests.conformance.base_images import BASE_IMAGES
from tests.conformance.case import DOCKERFILE, IGNORE_FILE, SALT, File
from tests.conformance.places import (
    WILDCARDS,
    BrokenCaseError,
    Files,
    clean,
    context_files,
    copy_into,
    matching,
)
from tests.conformance.sending import usable_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.dockerfile import Instruction
    from tests.conformance.case import State
    from tests.conformance.dialect import Dialect

_WRITES = re.compile(r"(?<!>)>\s*(/[\w./-]+)|cp \S+ (/\S+)")
_LINKS = re.compile(r"ln -sf (/\S+) (/\S+)")
_MAKES = re.compile(r"mkdir -p (/[\w./-]+)")
_REMOVES = re.compile(r"rm -f (/[\w./-]+)")
_READS = re.compile(r"(?:cat|cp|chmod \w+|chown [\w:]+|touch -c|wc -c <|>>) (/[\w./-]+)")
_NEEDS_ROOT = re.compile(
    r">\s*(?!/tmp/|/dev/|/c/|&)\S|mkdir|cat /(?!proc)|(?:rm|cp|ln|chmod|chown|touch|wc) "
)


@lru_cache(maxsize=20_000)
def instruction_of(text: str) -> Instruction:
    """Parse one instruction that is no FROM."""
    return parse(f"FROM scratch\n{text}\n").stages[0].instructions[1]


@dataclass
class Stage:
    """What the next instruction of a stage would find."""

    name: str
    dialect: Dialect
    files: Files = field(default_factory=Files)
    env: dict[str, str] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)
    working_dir: str = "/"
    user: str = ""
    has_shell: bool = True
    has_passwd: bool = True
    on_build: list[str] = field(default_factory=list)
    mounted: dict[str, str] = field(default_factory=dict)
    """What was mounted at a target: some builders leave an empty file or directory there."""

    def child(self, name: str) -> Stage:
        """Return where a ``FROM`` this stage begins."""
        keeps_args = self.dialect.builder == "buildkit"
        return Stage(
            name,
            self.dialect,
            self.files.copy(),
            dict(self.env),
            dict(self.args) if keeps_args else {},
            self.working_dir,
            self.user,
            self.has_shell,
            self.has_passwd,
            mounted=dict(self.mounted),
        )

    @property
    def variables(self) -> dict[str, str]:
        """Names with their values; which of ENV and ARG wins is not modelled finely."""
        return {**self.args, **self.env}

    def absolute(self, path: str) -> str:
        """Return a path below the working directory, its trailing slash kept."""
        joined = clean(posixpath.join(self.working_dir, path))
        keeps_slash = path.endswith(("/", "/.")) or path == "."
        return joined + "/" if keeps_slash and joined != "/" else joined

    @property
    def is_root(self) -> bool:
        """Whether RUN may write anywhere."""
        return self.user.partition(":")[0] in {"", "root", "0"}


class Simulation:
    """One state, stage by stage."""

    def __init__(self, state: State, dialect: Dialect) -> None:
        self.state = state
        self.dialect = dialect
        self.sent = usable_paths(state.files, dialect.builder)
        self.context = {path: state.files[path] for path in self.sent if path in state.files}
        if DOCKERFILE in self.sent:
            self.context[DOCKERFILE] = File()
        self.context_tree = context_files(self.context)
        self.stages: list[Stage] = []
        self.global_args: dict[str, str] = {}
        for line in state.head:
            if line.keyword == "ARG":
                self._declare(instruction_of(line.text), self.global_args, {})

    def run(self) -> None:
        """Go through all stages.

        Raises:
            BrokenCaseError: the state would not build.

        """
        for stage in self.state.stages:
            self.begin(stage.lines[0].text)
            for line in stage.lines[1:]:
                self.take(line.text)
        self._check_target()

    def _check_target(self) -> None:
        target = self.state.target
        if target is not None and self.find_named(target) is None:
            raise BrokenCaseError(f"no stage {target}")

    def find(self, reference: str) -> Stage | None:
        """Return the stage of that name or index."""
        named = self.find_named(reference)
        if named is not None:
            return named
        if reference.isdecimal() and int(reference) < len(self.stages):
            return self.stages[int(reference)]
        return None

    def find_named(self, name: str) -> Stage | None:
        """Return the latest stage of that name, in any case."""
        wanted = name.lower()
        named = (one for one in reversed(self.stages) if one.name)
        return next((one for one in named if one.name.lower() == wanted), None)

    def begin(self, text: str) -> Stage:
        """Take a FROM line."""
        words = text.split()
        if len(words) not in {2, 4}:
            raise BrokenCaseError(text)
        name = words[3] if len(words) > 2 else ""
        image = expand(words[1], self.global_args)
        parent = self.find_named(image)
        if parent is not None:
            stage = parent.child(name)
            triggers = list(parent.on_build)
        elif image == "scratch":
            stage, triggers = Stage(name, self.dialect, has_shell=False, has_passwd=False), []
        elif image in BASE_IMAGES:
            base = BASE_IMAGES[image]
            stage = Stage(
                name,
                self.dialect,
                Files(dict(base.known)),
                dict(base.env),
                {},
                base.working_dir,
                base.user,
            )
            triggers = list(base.on_build)
            if image == "img/scratch:1":
                stage.has_shell = stage.has_passwd = False
        else:
            raise BrokenCaseError(f"FROM {image}")
        self.stages.append(stage)
        for trigger in triggers:
            self.take(trigger)
        return stage

    def take(self, text: str) -> None:
        """Take one instruction of the stage that was begun last.

        Raises:
            BrokenCaseError: it would not build.

        """
        if text.lstrip().startswith("#"):
            return
        if text.split(None, 1)[0].upper() == "ONBUILD":
            self.stages[-1].on_build.append(text.split(None, 1)[1])
            return
        try:
            instruction = instruction_of(text)
        except DockerfileError as error:
            raise BrokenCaseError(text) from error
        handler = _HANDLERS.get(instruction.keyword)
        if handler is not None:
            handler(self, self.stages[-1], instruction)

    def _declare(
        self, instruction: Instruction, args: dict[str, str], variables: Mapping[str, str]
    ) -> None:
        for word in instruction.arguments:
            name, has_default, default = word.partition("=")
            if name in self.state.build_args:
                args[name] = self.state.build_args[name]
            elif has_default:
                args[name] = expand(default, {**variables, **args})
            elif name in self.global_args:
                args[name] = self.global_args[name]

    def take_arg(self, stage: Stage, instruction: Instruction) -> None:
        """ARG."""
        self._declare(instruction, stage.args, stage.variables)

    def take_env(self, stage: Stage, instruction: Instruction) -> None:
        """ENV."""
        before = stage.variables
        pairs = instruction.arguments
        for name, value in zip(pairs[::2], pairs[1::2], strict=False):
            stage.env[name] = expand(value, before)

    def take_workdir(self, stage: Stage, instruction: Instruction) -> None:
        """WORKDIR."""
        path = expand(instruction.arguments[0], stage.variables)
        if not path:
            raise BrokenCaseError("WORKDIR without a path")
        stage.working_dir = clean(posixpath.join(stage.working_dir, path))
        if SALT not in path:
            stage.files.make_dir(stage.working_dir)

    def take_user(self, stage: Stage, instruction: Instruction) -> None:
        """USER."""
        stage.user = expand(instruction.arguments[0], stage.variables)
        names = [part for part in stage.user.split(":") if not part.isdecimal()]
        if not stage.user or (names and not stage.has_passwd):
            raise BrokenCaseError(f"USER {stage.user}")

    def take_volume(self, stage: Stage, instruction: Instruction) -> None:
        """VOLUME."""
        for word in instruction.arguments:
            path = expand(word, stage.variables)
            if not path.startswith("/"):
                raise BrokenCaseError(f"VOLUME {path}")
            stage.files.copy().make_dir(path)  # a file may not stand in its way
            stage.files.volumes.add(clean(path))

    def take_copy(self, stage: Stage, instruction: Instruction) -> None:
        """COPY and ADD."""
        linked = any(flag in {"--link", "--link=true"} for flag in instruction.flags)
        owner = instruction.flag("chown")
        if owner is not None:
            self._check_owner(stage, owner, linked=linked)
        *sources, dest = [expand(word, stage.variables) for word in instruction.arguments]
        target = stage.absolute(dest) if dest else ""
        self._check_target_of_copy(stage, sources, target, linked=linked)
        if "<<" in instruction.text:
            for source in sources:
                name = source.removeprefix("<<").strip("'")
                stage.files.put(f"{target}{name}" if target.endswith("/") else target, "file")
            return
        tree = self._source_tree(instruction)
        for source in sources:
            found = matching(tree, source)
            if not found:
                raise BrokenCaseError(f"{source} is not there")
            for path in found:
                self._copy_one(stage, instruction, tree, path, target)

    @staticmethod
    def _check_target_of_copy(
        stage: Stage, sources: list[str], target: str, *, linked: bool
    ) -> None:
        if not target or not all(sources):
            raise BrokenCaseError("an empty path")
        if target.endswith("/"):
            return
        if len(sources) > 1 or WILDCARDS & set("".join(sources)):
            raise BrokenCaseError("several sources need a directory")
        if linked and stage.files.kind(clean(target)) == "dir":
            raise BrokenCaseError("a linked copy does not see the directory it would go into")

    def _source_tree(self, instruction: Instruction) -> Files:
        reference = instruction.flag("from")
        return self.context_tree if reference is None else self.tree_of(reference)

    def tree_of(self, reference: str) -> Files:
        """Return the files of an earlier stage or an image."""
        earlier = Simulation.find(_Earlier(self), reference)
        if earlier is not None:
            return earlier.files
        if reference in BASE_IMAGES:
            return Files(dict(BASE_IMAGES[reference].known))
        raise BrokenCaseError(f"no stage {reference}")

    def _copy_one(
        self, stage: Stage, instruction: Instruction, tree: Files, path: str, target: str
    ) -> None:
        file = self.context.get(path[1:]) if tree is self.context_tree else None
        if instruction.keyword == "ADD" and file is not None and file.kind == "tar":
            place = clean(target)
            if stage.files.kind(place) not in {None, "dir"}:
                raise BrokenCaseError(f"{place} is no directory")
            stage.files.put(f"{place.rstrip('/')}/inside.txt", "file")
            return
        resolved = tree.resolve(path)
        if tree.kind(resolved) == "file":
            copy_into(stage.files, target, Files({path: "file"}), path)
            return
        path = resolved
        if self.dialect.builder == "classic" and clean(target) == "/" and _is_empty(tree, path):
            # "failed to export image: failed to get layer …: layer does not exist"
            raise BrokenCaseError("the classic builder cannot copy nothing into the root")
        copy_into(stage.files, target, tree, path)

    def _check_owner(self, stage: Stage, owner: str, *, linked: bool) -> None:
        value = expand(owner, stage.variables)
        # A linked copy is made on nothing, where there is no passwd file.
        has_passwd = stage.has_passwd and not linked
        if not value or (not value.replace(":", "").isdecimal() and not has_passwd):
            raise BrokenCaseError(f"--chown={owner}")

    def take_run(self, stage: Stage, instruction: Instruction) -> None:
        """RUN: what it makes can be read off its text."""
        if not stage.has_shell:
            raise BrokenCaseError("RUN without a shell")
        self._check_mounts(stage, instruction)
        text = instruction.text
        if stage.is_root:
            self._take_reads(stage, text)
            self._take_writes(stage, text)
        elif _NEEDS_ROOT.search(text):
            raise BrokenCaseError(f"{stage.user} may not {text}")

    @staticmethod
    def _take_reads(stage: Stage, text: str) -> None:
        for path in _READS.findall(text):
            if not path.startswith(("/m/", "/c/", "/proc/")) and stage.files.kind(path) != "file":
                raise BrokenCaseError(f"RUN reads {path}")

    @staticmethod
    def _take_writes(stage: Stage, text: str) -> None:
        files = stage.files
        for path in _MAKES.findall(text):
            if not files.in_volume(path):
                files.make_dir(path)
        for written, copied in _WRITES.findall(text):
            path = written or copied
            if path.startswith(("/dev/", "/c/", "/t/")) or files.in_volume(path):
                continue
            if files.kind(posixpath.dirname(path)) != "dir":
                raise BrokenCaseError(f"RUN writes {path}")
            files.put(path, "file")
        for target, path in _LINKS.findall(text):
            if not files.in_volume(path):
                files.put(path, "link")
                files.links[path] = target
        for path in _REMOVES.findall(text):
            files.remove(path)

    def _check_mounts(self, stage: Stage, instruction: Instruction) -> None:
        for mount in instruction.flag_values("mount"):
            fields = dict(part.partition("=")[::2] for part in mount.split(","))
            if fields.get("type", "bind") != "bind":
                continue
            if fields.get("from", "").isdecimal():
                raise BrokenCaseError("a mount knows no stage by its index")
            tree = self.tree_of(fields["from"]) if "from" in fields else self.context_tree
            source = clean(expand(fields.get("source", "/"), stage.variables))
            kind = tree.kind(source)
            if kind not in {"file", "dir"}:
                raise BrokenCaseError(f"a mount needs {source}")
            if stage.mounted.setdefault(fields["target"], kind) != kind:
                raise BrokenCaseError(f"a mount at {fields['target']}")


def _is_empty(tree: Files, path: str) -> bool:
    return tree.kind(path) == "dir" and next(tree.below(path), None) is None


class _Earlier(Simulation):
    """The stages before the current one: what ``--from`` can see."""

    def __init__(self, simulation: Simulation) -> None:
        self.stages = simulation.stages[:-1]


_HANDLERS: dict[str, Callable[[Simulation, Stage, Instruction], None]] = {
    "ARG": Simulation.take_arg,
    "ENV": Simulation.take_env,
    "WORKDIR": Simulation.take_workdir,
    "USER": Simulation.take_user,
    "VOLUME": Simulation.take_volume,
    "COPY": Simulation.take_copy,
    "ADD": Simulation.take_copy,
    "RUN": Simulation.take_run,
}


def builds(state: State, dialect: Dialect) -> bool:
    """Tell whether a state should build."""
    return why_not(state, dialect) is None


def why_not(state: State, dialect: Dialect) -> str | None:
    """Say why a state would not build; None where it should."""
    if IGNORE_FILE in state.files and state.files[IGNORE_FILE].kind != "file":
        return f"{IGNORE_FILE} is no file"
    for path in state.files:
        parent = posixpath.dirname(path)
        if parent and (parent not in state.files or state.files[parent].kind != "dir"):
            return f"{path} has no folder"
    try:
        Simulation(state, dialect).run()
    except (BrokenCaseError, DockerfileError) as error:
        return str(error)
    return None
