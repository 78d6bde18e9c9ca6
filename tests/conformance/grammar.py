"""Instructions by chance: each fits the stage that it is written for.

`Writer` draws every choice from one `random.Random`, so that a seed decides a case, and so that
hypothesis can draw the choices instead (``st.randoms(use_true_random=False)``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tests.conformance.base_images import BASE_IMAGES
from tests.conformance.places import WILDCARDS, BrokenCaseError
from tests.conformance.run_commands import run_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from tests.conformance.dialect import Dialect
    from tests.conformance.simulate import Simulation, Stage

Value = TypeVar("Value")

KEYWORD_WEIGHTS = {
    "COPY": 30,
    "ADD": 6,
    "RUN": 11,
    "WORKDIR": 10,
    "ENV": 9,
    "ARG": 9,
    "LABEL": 5,
    "EXPOSE": 4,
    "CMD": 2,
    "ENTRYPOINT": 2,
    "VOLUME": 2,
    "STOPSIGNAL": 1,
    "HEALTHCHECK": 1,
    "USER": 4,
    "SHELL": 2,
    "ONBUILD": 2,
    "MAINTAINER": 1,
    "#": 2,
}
_CLASSIC_RUN = 6
"""A RUN takes the classic builder four times as long as BuildKit, and six times a COPY."""
VERTEX_FACTOR = 3
"""BuildKit looks nothing else up: these are as many times more frequent in its cases."""
_VERTICES = frozenset({"COPY", "ADD", "RUN", "WORKDIR"})
_DESTINATIONS = (
    *("/app", "/app/", "/app/sub/", "/srv/", "/out/f", "/d/", "./", ".", "rel/", "rel"),
    *("x/y/", "/", "../up/", "./here", "/data/", "/app/a.txt"),
)
_DIRECTORIES = ("/app", "/srv", "/w", "sub", "rel/deep", ".", "/app/sub", "/", "/data/", "..")
_WORDS = ("red", "green", "blue", "one", "two", "three")
_OWNERS = ("1000", "1000:1000", "0:0", "app", "app:staff", "web", "root", "1001:50")
_NUMBERED_OWNERS = tuple(one for one in _OWNERS if one.replace(":", "").isdecimal())
_VARIABLES = ("A", "B", "C", "MODE", "SRC", "DST", "OWNER", "PORT")
_TRIES = 12


def _weights(builder: str) -> dict[str, int]:
    """Return how often each keyword is written for a builder."""
    if builder == "classic":
        return {**KEYWORD_WEIGHTS, "RUN": _CLASSIC_RUN}
    return {
        keyword: weight * (VERTEX_FACTOR if keyword in _VERTICES else 1)
        for keyword, weight in KEYWORD_WEIGHTS.items()
    }


class Writer:
    """Writes instructions for the stage that a simulation stands in."""

    def __init__(self, random: Random, simulation: Simulation, dialect: Dialect) -> None:
        self.random = random
        self.simulation = simulation
        self.dialect = dialect
        self._keywords = _weights(dialect.builder)

    @property
    def stage(self) -> Stage:
        """The stage that is being written."""
        return self.simulation.stages[-1]

    def chance(self, percent: int) -> bool:
        """Return True in that many of a hundred draws."""
        return self.random.randrange(100) < percent

    def pick(self, values: Sequence[Value]) -> Value:
        """Return one of the values."""
        return values[self.random.randrange(len(values))]

    def weighted(self, weights: Mapping[Value, int]) -> Value:
        """Return a key, each as often as its weight says."""
        drawn = self.random.randrange(sum(weights.values()))
        for value, weight in weights.items():
            drawn -= weight
            if drawn < 0:
                return value
        raise AssertionError

    def word(self) -> str:
        """Return a word."""
        return self.pick(_WORDS)

    def instruction(self, keyword: str | None = None) -> str | None:
        """Return an instruction that can stand next, and take it; None if none was found."""
        for _ in range(_TRIES):
            text = self.text(keyword or self.weighted(self._keywords))
            if text is not None and self.takes(text):
                return text
        return None

    def takes(self, text: str) -> bool:
        """Take an instruction if it can stand next."""
        stages = self.simulation.stages
        before = stages[-1]
        stages[-1] = before.child(before.name)
        stages[-1].args, stages[-1].on_build = dict(before.args), list(before.on_build)
        try:
            self.simulation.take(text)
        except BrokenCaseError:
            stages[-1] = before
            return False
        return True

    def text(self, keyword: str) -> str | None:
        """Write an instruction; it may turn out to be impossible."""
        writers = {
            "COPY": self.copy,
            "ADD": self.add,
            "RUN": self.run,
            "WORKDIR": self.workdir,
            "ENV": self.env,
            "ARG": self.arg,
            "USER": self.user,
            "VOLUME": self.volume,
            "ONBUILD": self.on_build,
        }
        if keyword in writers:
            return writers[keyword]()
        return self.metadata(keyword)

    def metadata(self, keyword: str) -> str:
        """Write an instruction that touches no file."""
        word = self.word()
        texts: dict[str, tuple[str, ...]] = {
            "LABEL": (
                f"LABEL {self.pick('kl')}={word}",
                f'LABEL k="{word} {self.word()}" l={word}',
                f"LABEL k={self.use_of('A')}",
            ),
            "EXPOSE": ("EXPOSE 80", "EXPOSE 8080 9090/udp", f"EXPOSE {self.port()}"),
            "CMD": (f'CMD ["echo", "{word}"]', f"CMD echo {word}"),
            "ENTRYPOINT": (f'ENTRYPOINT ["echo", "{word}"]', f"ENTRYPOINT echo {word}"),
            "STOPSIGNAL": ("STOPSIGNAL SIGTERM", "STOPSIGNAL 9"),
            "HEALTHCHECK": (
                "HEALTHCHECK NONE",
                f"HEALTHCHECK --interval={self.pick('345')}s CMD echo {word}",
            ),
            "SHELL": ('SHELL ["/bin/sh", "-ec"]', 'SHELL ["/bin/busybox", "sh", "-c"]'),
            "MAINTAINER": (f"MAINTAINER {word}",),
            "#": (f"# {word}",),
        }
        return self.pick(texts[keyword])

    def port(self) -> str:
        """Return a port, or a variable that holds one."""
        return self.pick(("8080", "443/tcp", self.word_for("8080")))

    def use_of(self, name: str) -> str:
        """Return a reference to a variable, set or not."""
        return self.pick((f"${name}", f"${{{name}}}", f"${{{name}:-none}}", f"${{{name}:+some}}"))

    def word_for(self, value: str) -> str:
        """Return the value, or sometimes a variable that has it."""
        names = sorted(name for name, one in self.stage.variables.items() if one == value)
        if not names or self.chance(40):
            return value
        name = self.pick(names)
        return self.pick((f"${name}", f"${{{name}}}"))

    def run(self) -> str | None:
        """Write a RUN."""
        return run_text(self)

    def workdir(self) -> str:
        """Write a WORKDIR: absolute, relative, a repeat, the root."""
        path = self.stage.working_dir if self.chance(12) else self.pick(_DIRECTORIES)
        return f"WORKDIR {self.word_for(path)}"

    def env(self) -> str:
        """Write an ENV with one or several pairs, in either form."""
        name = self.pick(_VARIABLES)
        if self.chance(20):
            return f"ENV {name} {self.value_of(name)}"
        pairs = [f"{name}={self.value_of(name)}"]
        if self.chance(30):
            other = self.pick(_VARIABLES)
            pairs.append(f"{other}={self.value_of(other)}")
        return "ENV " + " ".join(pairs)

    def arg(self) -> str:
        """Write an ARG with or without a default."""
        if self.chance(5):
            return f"ARG {self.pick(('HTTP_PROXY', 'TARGETARCH', 'NO_PROXY=here'))}"
        name = self.pick(_VARIABLES)
        return f"ARG {name}={self.value_of(name)}" if self.chance(65) else f"ARG {name}"

    def value_of(self, name: str) -> str:
        """Return a value that suits a variable."""
        if name == "SRC":
            return self.pick(self.context_sources())
        if name == "DST":
            return self.pick(("/data/", "/app/", "/srv/"))
        if name == "OWNER":
            return self.pick(_NUMBERED_OWNERS)
        if name == "PORT":
            return self.pick(("8080", "9090"))
        if self.chance(25):
            return self.use_of(self.pick("ABC"))
        return self.word()

    def user(self) -> str:
        """Write a USER."""
        names = ("app", "1000", "root", "1000:1000", "web:staff", "0", self.word_for("1000"))
        return f"USER {self.pick(names)}"

    def volume(self) -> str:
        """Write a VOLUME."""
        return self.pick(("VOLUME /data", 'VOLUME ["/app/vol"]', "VOLUME /srv /vol", "VOLUME /out"))

    def on_build(self) -> str | None:
        """Write a trigger for the stages that start from this one."""
        keyword = self.pick(("LABEL", "ENV", "COPY", "RUN", "WORKDIR", "ARG"))
        inner = self.text(keyword)
        if inner is None or "\n" in inner or "--from" in inner or "from=" in inner:
            return None
        return f"ONBUILD {inner}"

    def add(self) -> str | None:
        """Write an ADD: mostly of a tar, else like COPY."""
        tars = [path for path, file in self.simulation.context.items() if file.kind == "tar"]
        if tars and self.chance(60):
            return f"ADD {self.pick(sorted(tars))} {self.pick(('/d/', '/app/', './', '/t/x/'))}"
        sources = self._sources()
        return None if not sources else f"ADD {self._owner()}{self._with_destination(sources)}"

    def copy(self) -> str | None:
        """Write a COPY from the context, a stage or an image."""
        if self.dialect.heredocs and self.chance(7):
            return self._heredoc_copy()
        if self.chance(32 if len(self.simulation.stages) > 1 else 6):
            return self.copy_from()
        sources = self._sources()
        if not sources:
            return None
        return f"COPY {self._flags()}{self._with_destination(sources)}"

    def _heredoc_copy(self) -> str:
        name = self.pick(("EOF", "'EOF'"))
        dest = self.pick(("/h.txt", "/app/h.txt", "h.txt"))
        return f"COPY {self._flags()}<<{name} {dest}\n{self.word()} {self.use_of('A')}\nEOF"

    def _flags(self) -> str:
        flags = self._owner()
        if self.dialect.chmod and self.chance(10):
            modes = ["600", "0755", "644"]
            if self.dialect.symbolic_chmod:
                modes += ["u+x", "go="]
            flags += f"--chmod={self.pick(modes)} "
        if self.dialect.link and self.chance(15):
            flags += "--link "
        return flags

    def _owner(self) -> str:
        if not self.chance(15):
            return ""
        owners = _OWNERS if self.stage.has_passwd else _NUMBERED_OWNERS
        return f"--chown={self.word_for(self.pick(owners))} "

    def context_sources(self) -> list[str]:
        """Return what COPY may name of the context, patterns included."""
        paths = sorted(self.simulation.sent)
        patterns = ["*.txt", "src/*", "s*", "?.txt", "src/*.c", "[ab].*", "*/b.c"]
        return [*paths, *paths, ".", *patterns, *(f"./{path}" for path in paths[:2])]

    def _sources(self) -> list[str]:
        if self.chance(16):
            return ["."]
        count = self.weighted({1: 80, 2: 16, 3: 4})
        sources = [self.pick(self.context_sources()) for _ in range(count)]
        return [self.word_for(source) for source in sources]

    def _with_destination(self, sources: Sequence[str]) -> str:
        if sources == ["."] and self.chance(50):
            return ". ."
        dest = self.pick(_DESTINATIONS)
        if (len(sources) > 1 or WILDCARDS & set("".join(sources))) and not dest.endswith("/"):
            dest += "/"
        # A JSON form says the same with other text.
        words = [*sources, self.word_for(dest)]
        if self.chance(6):
            return "[" + ", ".join(f'"{word}"' for word in words) + "]"
        return " ".join(words)

    def copy_from(self, reference: str | None = None) -> str | None:
        """Write a COPY from a stage or an image, one by chance if none is given."""
        reference = reference or self.reference()
        if reference is None:
            return None
        try:
            tree = self.simulation.tree_of(reference)
        except BrokenCaseError:
            return None
        own = [path for path in tree.kinds if self._is_of_case(path)]
        files = sorted(path for path in own if tree.kinds[path] != "link")
        if not files:
            return None
        source = self.pick(files)
        if self.chance(15):
            source = source.lstrip("/")
        if self.chance(10) and "etc/" not in source:  # an engine may put more files there
            source = source.rpartition("/")[0] + "/*"
        dest = self.pick(_DESTINATIONS)
        if "*" in source and not dest.endswith("/"):
            dest += "/"
        return f"COPY --from={reference} {self._flags()}{source} {dest}"

    @staticmethod
    def _is_of_case(path: str) -> bool:
        system = ("/bin", "/dev", "/proc", "/sys", "/usr", "/sbin", "/tmp", "/root", "/etc")
        return not path.startswith(system) or path in {"/etc/passwd", "/etc/group"}

    def name_in(self, stages: Sequence[str]) -> str | None:
        """Return the name of one of the stages that these FROM lines begin, if any has one."""
        names = [words[3] for one in stages if len(words := one.split()) > 3]
        return self.pick(names) if names else None

    def reference(self, *, index: bool = True) -> str | None:
        """Return an earlier stage by name, or by index where allowed, or an image."""
        images = [name for name in BASE_IMAGES if name not in {"img/scratch:1", "img/trigger:1"}]
        earlier = self.simulation.stages[:-1]
        if not earlier or self.chance(8):
            return self.pick(images)
        number = self.random.randrange(len(earlier))
        name = earlier[number].name
        if index and (not name or self.chance(20)):
            return str(number)
        return name or None
