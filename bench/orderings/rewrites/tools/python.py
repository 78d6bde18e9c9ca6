"""What pip reads of a project.

Sources: pip.pypa.io ``pip install`` and "Requirements File Format" (which options a file may
hold, that its paths are relative to it), PEP 517 (hooks of a source distribution run in the
unpacked source), docs.python.org ``-m`` (the working directory comes first in ``sys.path``).
``setup.cfg`` of the working directory is a distutils configuration file, which older pips read.
"""

from __future__ import annotations

import posixpath
import re
import sys
from typing import TYPE_CHECKING

from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.tools.project import Use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.orderings.rewrites.tools.project import Project

_WRITES = (
    *("/usr/local", "/usr/lib", "/usr/lib64", "/usr/bin", "/usr/share", "/usr/include", "/lib"),
    *("/root/.cache", "/root/.local", "/home/*/.cache", "/home/*/.local", "/tmp", "/etc"),  # noqa: S108
    *("/opt/venv", "/venv", "/usr/man", "/var"),
)
_PLAIN = frozenset(
    {
        *("--no-cache-dir", "--upgrade", "-U", "--no-deps", "--user", "-q", "--quiet"),
        *("--no-input", "--disable-pip-version-check", "--prefer-binary", "--require-hashes"),
        *("--compile", "--no-compile", "--break-system-packages", "--no-warn-script-location"),
        *("-qq", "-v", "--verbose", "--ignore-installed", "-I", "--pre", "--no-build-isolation"),
    }
)
_VALUED = frozenset(
    {
        *("--index-url", "-i", "--extra-index-url", "--timeout", "--trusted-host", "--retries"),
        *("--only-binary", "--no-binary", "--root-user-action", "--progress-bar", "--platform"),
        *("--python-version", "--implementation", "--abi", "--upgrade-strategy"),
    }
)
_FILES = frozenset({"-r", "--requirement", "-c", "--constraint"})
_NAME = r"[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?"
_FROM_INDEX = re.compile(rf"\A{_NAME}\s*(?:\(?\s*(?:[=<>!~]=?=?|;).*)?\Z")
_FROM_URL = re.compile(rf"\A(?:{_NAME}\s*@\s*)?(?:git\+)?https?://")
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar|tgz|tar\.\w+)\Z")
_KNOWN_VARIABLES = (
    *("PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_DEFAULT_TIMEOUT"),
    *("PIP_ROOT_USER_ACTION", "PIP_NO_INPUT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"),
    *("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONFAULTHANDLER", "PYTHONHASHSEED"),
    *("PYTHONIOENCODING", "PYTHON_VERSION", "PIP_BREAK_SYSTEM_PACKAGES"),
)
_VERSION = re.compile(r"\A(?:pip|python)[\d.]*\Z")


def pip(words: list[str], project: Project) -> Use:
    """Say what ``pip install`` uses; ``words`` may begin with ``python -m``.

    Raises:
        UnprovableError: it installs something of the project itself, or an option is not known.

    """
    words = _without_module(words, project)
    if words[1:3] == ["cache", "purge"] and len(words) == 3:
        return Use(writes=("/root/.cache", "/home/*/.cache"))
    if words[1:2] != ["install"]:
        raise UnprovableError(f"what pip {' '.join(words[1:2])} reads is not known")
    project.refuse_variables("PIP_", "PYTHON", but=_KNOWN_VARIABLES)
    if any(posixpath.basename(path) == "pyvenv.cfg" for path in project.files):
        raise UnprovableError("a virtual environment is among the copied files")
    requirements: list[str] = []
    writes = list(_WRITES)
    pending = words[2:]
    while pending:
        word = pending.pop(0)
        name, has_value, value = word.partition("=")
        if word in _PLAIN:
            continue
        if not has_value and (name in _FILES | _VALUED or name in {"--prefix", "--root"}):
            value = pending.pop(0) if pending else ""
        if name in _FILES and not (has_value and len(name) == 2):
            requirements.append(value)
        elif name in {"--prefix", "--root"} and value.startswith("/"):
            writes.append(value)
        elif name not in _VALUED:
            _check_requirement(word)
    reads = [one for file in requirements for one in _read(file, project, ())]
    return Use(
        (*dict.fromkeys(reads), *project.present("setup.cfg")),
        tuple(writes),
        (
            "pip install reads the named requirements files, those they name, and nothing else of "
            "the project (pip.pypa.io); a source distribution is built in a folder of its own "
            "(PEP 517) and is taken to look at nothing outside of it",
        ),
    )


def _without_module(words: list[str], project: Project) -> list[str]:
    if words[1:3] != ["-m", "pip"]:
        return words
    # The working directory comes first in sys.path: a module there would be imported instead.
    shadowing = {name.removesuffix(".py") for name in project.here()} & {
        "pip",
        *sys.stdlib_module_names,
    }
    if shadowing:
        raise UnprovableError(
            f"python -m pip may import {min(shadowing)} from the working directory"
        )
    return ["pip", *words[3:]]


def _check_requirement(word: str) -> None:
    if word.startswith("-"):
        raise UnprovableError(f"what pip's option {word} makes it read is not known")
    if _ARCHIVE.search(word) or not _FROM_INDEX.match(word):
        raise UnprovableError(f"pip installs {word}, which may be a part of the project")


def _read(name: str, project: Project, on_the_way: tuple[str, ...]) -> Iterator[str]:
    """Yield a requirements file and all that it names, as absolute paths."""
    path = project.path(name)
    if "://" in name or path not in project.files:
        raise UnprovableError(f"the requirements file {name} is not among the copied files")
    if path in on_the_way:
        return
    yield path
    for line in _lines(project.text(name)):
        option = re.match(r"(?:(?:-r|-c)\s*|(?:--requirement|--constraint)(?:\s+|=))(\S+)\Z", line)
        if option:
            inner = posixpath.join(posixpath.dirname(name), option[1])
            yield from _read(inner, project, (*on_the_way, path))
        else:
            _check_line(line, name)


def _lines(text: str) -> Iterator[str]:
    joined = re.sub(r"\\\r?\n", " ", text)
    for line in joined.splitlines():
        stripped = re.sub(r"(?:^|\s+)#.*", "", line).strip()
        if stripped:
            yield stripped


def _check_line(line: str, file: str) -> None:
    if line.startswith(("-f", "--find-links")):
        if not re.match(r"(?:-f\s*|--find-links(?:\s+|=))https?://", line):
            raise UnprovableError(f"{file} looks for packages in a local folder")
        return
    if line.startswith("-"):
        known = ("-i", "--index-url", "--extra-index-url", "--trusted-host", "--no-binary")
        more = ("--only-binary", "--prefer-binary", "--require-hashes", "--pre", "--no-index")
        if re.split(r"[\s=]", line)[0] not in (*known, *more):
            raise UnprovableError(f"{file} has the line {line!r}, which may name a local path")
        return
    requirement = re.split(r"\s--(?:hash|config-settings|global-option)", line)[0].strip()
    if _FROM_URL.match(requirement):
        return
    if _ARCHIVE.search(requirement) or not _FROM_INDEX.match(requirement):
        raise UnprovableError(f"{file} has the line {line!r}, which may name a local path")


def is_python(name: str) -> bool:
    """Tell whether a command is pip or a Python, of any version."""
    return bool(_VERSION.match(name))
