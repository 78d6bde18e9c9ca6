"""What is certain at one point of a stage: values of variables, working directory, user.

A value is certain where the Dockerfile alone decides it, or a base image that was looked at. What
an ARG holds may be another with the next build, so nothing may rest on it: a path that it is part
of is an unknown place with a name of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.cache_model.errors import NotUnderstoodError
from bench.cache_model.inputs import SCRATCH
from bench.cache_model.scope import PROXY_ARGS, Scope
from bench.dockerfile import parse
from bench.errors import DockerfileError
from bench.orderings.effects import names_in
from bench.orderings.regions import Region

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.cache_model.inputs import BuildInput
    from bench.cache_model.profiles import Profile
    from bench.dockerfile import Instruction


@dataclass
class Standing:
    """The state of a stage between two instructions.

    ``settled`` are names whose value is certain. ``knows_rest`` says that all other names are
    certain too, but for those in ``unsettled``. ``user`` is None where it is not known.
    ``origin`` is the image at the bottom.
    """

    scope: Scope
    origin: str
    directory: Region
    user: str | None
    knows_rest: bool
    settled: set[str] = field(default_factory=set)
    unsettled: set[str] = field(default_factory=lambda: set(PROXY_ARGS))

    @classmethod
    def on_image(
        cls, build: BuildInput, image: str, global_args: Mapping[str, str], profile: Profile
    ) -> Standing:
        """Return the state right after ``FROM image``, its ONBUILDs done."""
        base = build.base(image)
        known = image == SCRATCH or base.inspected
        directory = (
            Region.of(base.working_dir or "/")
            if known
            else Region.unknown(f"the working directory of {image}")
        )
        standing = cls(
            scope=Scope.of_base(build, base, global_args, profile),
            origin=image,
            directory=directory,
            user=base.user if known else None,
            knows_rest=known,
        )
        standing.trigger(base.on_build, f"ONBUILD of {image}")
        return standing

    def of_child(self, triggers: Iterable[str]) -> Standing:
        """Return the state right after ``FROM`` of this stage, its ONBUILDs done."""
        child = Standing(
            self.scope.of_child(),
            self.origin,
            self.directory,
            self.user,
            self.knows_rest,
            set(self.settled),
            set(self.unsettled),
        )
        child.trigger(triggers, "ONBUILD")
        return child

    @property
    def is_scratch(self) -> bool:
        """Whether nothing lies below the stage."""
        return self.origin == SCRATCH

    def trigger(self, triggers: Iterable[str], shown: str) -> None:
        """Take in the instructions that a base adds right after FROM."""
        for number, text in enumerate(triggers, start=1):
            try:
                parsed = parse(f"FROM scratch\n{text}", "ONBUILD").stages[0].instructions[1:]
            except DockerfileError:
                self.forget(f"{shown} {number}")
                continue
            for instruction in parsed:
                self.apply(instruction, f"{shown} {number}")

    def is_settled(self, word: str) -> bool:
        """Tell whether the value of every variable in ``word`` is certain."""
        return all(
            name in self.settled or (self.knows_rest and name not in self.unsettled)
            for name in names_in(word)
        )

    def expand(self, word: str) -> str | None:
        """Return ``word`` with variables filled in, or None: their values are not certain.

        Raises:
            NotUnderstoodError: it has an operator that the model does not know.

        """
        expanded = self.scope.expand(word)
        return expanded if self.is_settled(word) else None

    def place(self, word: str, shown: str) -> Region:
        """Return where the path ``word`` leads; ``shown`` names it where that is not known.

        Raises:
            NotUnderstoodError: as `expand`.

        """
        path = self.expand(word)
        found = None if path is None else self.directory.joined(path)
        return found if found is not None else Region.unknown(f"what {shown}")

    def forget(self, shown: str) -> None:
        """Hold nothing for certain any more; ``shown`` names what may have changed all."""
        self.settled.clear()
        self.knows_rest = False
        self.directory = Region.unknown(f"the working directory after {shown}")
        self.user = None

    def apply(self, instruction: Instruction, shown: str = "") -> None:
        """Take in what one instruction changes; ``shown`` names it in places not known."""
        name = shown or f"line {instruction.line}"
        try:
            self._apply(instruction, name)
        except NotUnderstoodError:
            self.forget(name)

    def _apply(self, instruction: Instruction, shown: str) -> None:
        keyword, words = instruction.keyword, instruction.arguments
        if keyword == "ENV":
            sure = {
                name: self.is_settled(key) and self.is_settled(value)
                for key, value in zip(words[::2], words[1::2], strict=False)
                for name in [self.scope.expand(key)]
            }
            certain = all(self.is_settled(key) for key in words[::2])
            self._settle(sure)
            if not certain:
                self.settled.clear()
                self.knows_rest = False
        elif keyword == "ARG":
            self._settle({name: False for name, _ in self.scope.declared(instruction)})
        elif keyword == "WORKDIR":
            self.directory = self.place(" ".join(words), f"{shown} names")
        elif keyword == "USER":
            self.user = self.expand(" ".join(words))
        self.scope.apply(instruction)

    def _settle(self, names: Mapping[str, bool]) -> None:
        for name, certain in names.items():
            self.settled.discard(name)
            self.unsettled.add(name)
            if certain:
                self.settled.add(name)
