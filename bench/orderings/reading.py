"""Going through the stages of a Dockerfile and reading the effects of every instruction."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cache_model import StepPlace
from bench.cache_model.errors import NotUnderstoodError
from bench.cache_model.files import FileTree
from bench.cache_model.heredocs import has_heredocs, heredocs
from bench.cache_model.mounts import mounts_of
from bench.cache_model.profiles import Family
from bench.cache_model.scope import DEFAULT_PATH, Scope, escape_of, global_scope
from bench.dockerfile import parse
from bench.errors import DockerfileError
from bench.orderings.effects import (
    Effects,
    Fact,
    Files,
    is_shell_form,
    names_in,
    user_owns_workdir,
    volumes_matter,
)
from bench.orderings.regions import EVERYTHING, Region
from bench.orderings.standing import Standing
from bench.orderings.transfers import PASSWD, needs_passwd, owner_key, takes, transfer_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bench.cache_model import BuildInput, Profile
    from bench.dockerfile import Dockerfile, Instruction, Stage
    from bench.orderings.access import Access
    from bench.workspace.manifest import Entry

_FLAGS = {
    "COPY": frozenset({"from", "chown", "chmod", "link"}),
    "ADD": frozenset({"chown", "chmod", "link"}),
    "RUN": frozenset({"mount", "network", "security"}),
    "HEALTHCHECK": frozenset(
        {"interval", "timeout", "start-period", "start-interval", "retries"},
    ),
}
_OWN_FACT = {
    "CMD": Fact.CMD,
    "ENTRYPOINT": Fact.ENTRYPOINT,
    "HEALTHCHECK": Fact.HEALTHCHECK,
    "MAINTAINER": Fact.AUTHOR,
    "ONBUILD": Fact.ONBUILD,
    "SHELL": Fact.SHELL,
    "STOPSIGNAL": Fact.STOPSIGNAL,
    "USER": Fact.USER,
    "VOLUME": Fact.VOLUMES,
}
_TARGET = re.compile(r"(?:\A|,)(?:target|dst|destination)=([^,]+)", re.IGNORECASE)
_EXPANDED = frozenset(
    {*("ADD", "ARG", "COPY", "ENV", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR")}
)
"""The keywords whose words are filled in with variables at build time (moby/buildkit
``frontend/dockerfile/instructions/commands.go``, Expand; RUN, CMD and the like keep theirs)."""
ALWAYS_READ = tuple(
    Region.of(path) for path in ("/etc", "/usr/bin", "/usr/lib", "/usr/local/bin", "/usr/local/lib")
)
"""What any program looks at, whatever somebody says of it: to find itself, its libraries, its
user, the names of hosts. The usual links bring /bin, /sbin, /lib and their like here too."""


@dataclass(frozen=True)
class StageEffects:
    """The effects of a stage's instructions after FROM, in written order, and where it begins.

    ``on_scratch`` says that nothing lies below it. ``starts_in_root`` says that its working
    directory is ``/`` at first, which is certainly there.
    """

    effects: tuple[Effects, ...]
    on_scratch: bool
    starts_in_root: bool

    @property
    def may_hold_links(self) -> bool:
        """Whether links may be there that no instruction shows."""
        return not self.on_scratch or any(
            one.barrier or one.keyword in {"RUN", "ADD"} or one.instruction.flag("from")
            for one in self.effects
        )


def read_effects(
    build: BuildInput, profile: Profile, access: Mapping[StepPlace, Access]
) -> list[StageEffects]:
    """Return the effects of every instruction, stage by stage."""
    return _Reader(build, profile, access).stages()


class _Reader:
    def __init__(
        self, build: BuildInput, profile: Profile, access: Mapping[StepPlace, Access]
    ) -> None:
        self._build = build
        self._profile = profile
        self._family = profile.family
        self._access = access
        self._standings: list[Standing] = []
        visible = _visible(build, profile)
        self._context = FileTree.of_manifest(visible)
        digest = hashlib.sha256(build.dockerfile.text.encode()).hexdigest()
        self._dockerfiles = [path for path, one in visible.items() if one.sha256 == digest]
        try:
            self._globals = global_scope(build, profile)
        except NotUnderstoodError:
            self._globals = {}

    def stages(self) -> list[StageEffects]:
        """Read every stage; a later one may stand on an earlier."""
        found = []
        for stage in self._build.dockerfile.stages:
            standing = self._begin(stage)
            starts_in_root = standing.directory.is_everything
            effects = []
            for step, instruction in enumerate(stage.instructions[1:], start=2):
                effects.append(self._effects(StepPlace(stage.index, step), instruction, standing))
                standing.apply(instruction)
                if effects[-1].barrier:
                    standing.forget(f"line {instruction.line}")
            self._standings.append(standing)
            found.append(
                StageEffects(tuple(effects), self._on_scratch(stage, standing), starts_in_root)
            )
        return found

    def _on_scratch(self, stage: Stage, standing: Standing) -> bool:
        has_parent = self._build.dockerfile.parent(stage, self._globals) is not None
        return standing.is_scratch and not has_parent

    def _begin(self, stage: Stage) -> Standing:
        dockerfile = self._build.dockerfile
        parent = dockerfile.parent(stage, self._globals)
        if parent is not None:
            texts = [
                one.text.partition(" ")[2]
                for one in parent.instructions
                if one.keyword == "ONBUILD"
            ]
            return self._standings[parent.index].of_child(texts)
        try:
            image = Scope.of_image_name(self._build, self._globals).expand(stage.base)
        except NotUnderstoodError:
            image = ""
        return Standing.on_image(self._build, image or stage.base, self._globals, self._profile)

    def _effects(self, place: StepPlace, instruction: Instruction, standing: Standing) -> Effects:
        why = self._not_understood(instruction)
        if not why:
            try:
                return self._read(place, instruction, standing)
            except NotUnderstoodError as error:
                why = str(error)
        return Effects(
            place,
            instruction,
            names_read=None,
            names_written=None,
            labels=None,
            files=Files(reads=(EVERYTHING,), writes=(EVERYTHING,)),
            barrier=why,
        )

    def _not_understood(self, instruction: Instruction) -> str:
        """Return what of an instruction is beyond this module, or ``""``."""
        if _runs_on(self._build.dockerfile, instruction):
            return "its last line would go on with whatever follows it"
        known = _FLAGS.get(instruction.keyword, frozenset())
        for flag in instruction.flags:
            name = flag.removeprefix("--").partition("=")[0]
            if name not in known:
                return f"what --{name} does is not known"
        if instruction.keyword == "RUN" and self._family is Family.CLASSIC and instruction.flags:
            return f"{self._profile.title} knows no flags of RUN"
        if has_heredocs(instruction) and not self._profile.understands_heredocs:
            return f"{self._profile.title} knows no here-documents"
        return ""

    def _read(self, place: StepPlace, instruction: Instruction, standing: Standing) -> Effects:
        keyword = instruction.keyword
        special: dict[str, Callable[[StepPlace, Instruction, Standing], Effects]] = {
            "ARG": self._arg,
            "ENV": self._env,
            "LABEL": self._label,
            "RUN": self._run,
            "WORKDIR": self._workdir,
            "COPY": self._transfer,
            "ADD": self._transfer,
        }
        if keyword in special:
            return special[keyword](place, instruction, standing)
        fact = _OWN_FACT.get(keyword)
        volumes: tuple[Region, ...] = ()
        if keyword == "VOLUME":
            shown = f"line {instruction.line} names"
            volumes = tuple(
                Region.unknown(f"what {shown}") if path is None else Region.of(path)
                for path in map(standing.expand, instruction.arguments)
            )
        return Effects(
            place,
            instruction,
            reads=frozenset({Fact.SHELL} if is_shell_form(instruction) else ()),
            writes=frozenset({fact} if fact is not None else ()),
            names_read=self._names(instruction),
            volumes=volumes,
        )

    def _names(self, instruction: Instruction) -> frozenset[str]:
        if instruction.keyword not in _EXPANDED:
            return frozenset()
        documents = heredocs(self._build.dockerfile, instruction)
        return names_in(
            *instruction.arguments,
            *instruction.flags,
            *(one.text for one in documents if one.expands),
        )

    def _arg(self, place: StepPlace, instruction: Instruction, standing: Standing) -> Effects:
        return Effects(
            place,
            instruction,
            names_read=self._names(instruction),
            names_written=frozenset(name for name, _ in standing.scope.declared(instruction)),
        )

    def _env(self, place: StepPlace, instruction: Instruction, standing: Standing) -> Effects:
        names = _names_set(instruction, standing)
        return Effects(
            place,
            instruction,
            names_read=self._names(instruction),
            names_written=None if None in names else frozenset(one for one in names if one),
        )

    def _label(self, place: StepPlace, instruction: Instruction, standing: Standing) -> Effects:
        keys = _names_set(instruction, standing)
        return Effects(
            place,
            instruction,
            names_read=self._names(instruction),
            labels=None if None in keys else frozenset(one for one in keys if one is not None),
        )

    def _workdir(self, place: StepPlace, instruction: Instruction, standing: Standing) -> Effects:
        word = " ".join(instruction.arguments)
        path = standing.expand(word)
        folder = standing.place(word, f"line {instruction.line} names")
        reads = set()
        if path is None or not path.startswith("/"):
            reads.add(Fact.WORKDIR)
        owner: str | None = ""
        if user_owns_workdir(self._family):
            reads.add(Fact.USER)
            owner = standing.user
        key = owner_key(owner)
        attributes = None if key is None else f"{key} 755"
        made = {} if folder == EVERYTHING else dict.fromkeys([*folder.above(), folder], attributes)
        return Effects(
            place,
            instruction,
            reads=frozenset(reads),
            writes=frozenset({Fact.WORKDIR}),
            names_read=self._names(instruction),
            files=Files(reads=PASSWD if needs_passwd(owner) else (), makes=made),
        )

    def _transfer(self, place: StepPlace, instruction: Instruction, standing: Standing) -> Effects:
        access = self._access.get(place)
        files = transfer_files(
            self._build.dockerfile, instruction, standing, self._profile, self._context, access
        )
        target = standing.expand(instruction.arguments[-1])
        relative = target is None or not target.startswith("/")
        return Effects(
            place,
            instruction,
            reads=frozenset({Fact.WORKDIR} if relative else ()),
            names_read=self._names(instruction),
            files=files,
            takes_dockerfile=instruction.flag("from") is None
            and self._takes_dockerfile(map(standing.scope.expand, instruction.arguments[:-1])),
        )

    def _takes_dockerfile(self, sources: Iterable[str]) -> bool:
        wanted = list(sources)
        return any(takes(wanted, path) for path in self._dockerfiles)

    def _run(self, place: StepPlace, instruction: Instruction, standing: Standing) -> Effects:
        reads = {Fact.WORKDIR, Fact.USER}
        if is_shell_form(instruction):
            reads.add(Fact.SHELL)
        if volumes_matter(self._family):
            reads.add(Fact.VOLUMES)
        mounts = mounts_of(instruction, standing.scope, self._profile)
        known = self._access.get(place)
        files = Files(reads=(EVERYTHING,), writes=(EVERYTHING,))
        if known is not None:
            # A folder that is mounted hides what is there, and is made if it is not.
            mounted = [
                standing.place(found[1] if found else "/run", f"line {instruction.line} mounts at")
                for found in map(_TARGET.search, instruction.flag_values("mount"))
            ]
            path = standing.scope.variables.get("PATH", DEFAULT_PATH).split(":")
            files = Files(
                reads=(
                    *map(Region.of, known.reads),
                    *ALWAYS_READ,
                    *(Region.of(one) for one in path if one.startswith("/")),
                ),
                writes=(*map(Region.of, known.writes), *mounted),
                access=known,
            )
        return Effects(
            place,
            instruction,
            reads=frozenset(reads),
            names_read=None,
            files=files,
            caches=frozenset(one.identity for one in mounts if one.type == "cache"),
            takes_dockerfile=self._takes_dockerfile(
                one.source for one in mounts if one.type == "bind" and one.origin is None
            ),
        )


def _visible(build: BuildInput, profile: Profile) -> dict[str, Entry]:
    """Return the entries of the build context that COPY and ADD can see.

    The classic builder takes the Dockerfile out again where it is ignored (moby
    ``builder/remotecontext/detect.go``).
    """
    hidden = build.manifest.sent_although_ignored if profile.family is Family.CLASSIC else ()
    return {path: entry for path, entry in build.manifest.items() if path not in hidden}


def _runs_on(dockerfile: Dockerfile, instruction: Instruction) -> bool:
    """Tell whether an instruction would swallow what is put below it.

    The last of a file may: it may end in the escape character, with comments or empty lines after.
    """
    if instruction is not dockerfile.stages[-1].instructions[-1]:
        return False
    lines = dockerfile.text.split("\n")[instruction.line - 1 : instruction.end_line]
    head = f"# escape={escape_of(dockerfile.text)}\nFROM scratch"
    try:
        probe = parse("\n".join([head, *lines, "EXPOSE 1"]))
    except DockerfileError:
        return True
    return len(probe.stages[-1].instructions) != 3


def _names_set(instruction: Instruction, standing: Standing) -> list[str | None]:
    """Return the names that an ENV or LABEL sets; None for one that is not certain.

    Raises:
        NotUnderstoodError: a name or a value is beyond the model.

    """
    return [standing.expand(word) for word in instruction.arguments][::2]
