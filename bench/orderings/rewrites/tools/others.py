"""What Bundler, Composer and Cargo read of a project, and commands that read nothing of it.

Sources: bundler.io ``bundle install`` (``--frozen``; Gemfile.lock is written otherwise, with the
platform for one), "Gemfile" (it is Ruby); getcomposer.org "Command-line interface" (``install``:
scripts, plugins, the autoloader, whose class maps list the project's folders); doc.rust-lang.org
"Cargo Targets" (target auto-discovery: the sources' places are read, and without any a manifest is
refused, so ``cargo fetch`` needs more than manifests). apt-get and apk install packages of the
distribution, whose files lie in system folders (Filesystem Hierarchy Standard).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.tools.node import json_of
from bench.orderings.rewrites.tools.project import Use, check_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.orderings.rewrites.tools.project import Project

_SYSTEM = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/media", "/mnt"),
    *("/opt", "/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var"),  # noqa: S108
)
_GEMFILE_LINE = re.compile(
    r"""\A(?:source\s+['"]https?://[^'"]+['"](?:\s+do)?
    |gem\s+['"][\w.-]+['"](?:\s*,\s*(?:['"][^'"#]*['"]|require:\s*(?:false|['"][\w/.-]+['"])
        |platforms?:\s*(?:%i\[[\w\s]*\]|\[[\s:\w,]*\]|:\w+)|group:\s*:\w+))*
    |group\s+:\w+(?:\s*,\s*:\w+)*\s+do|end|ruby\s+['"][^'"]*['"])\Z""",
    re.VERBOSE,
)
_BUNDLE_VARIABLES = (
    *("BUNDLE_FROZEN", "BUNDLE_DEPLOYMENT", "BUNDLE_WITHOUT", "BUNDLE_JOBS", "BUNDLE_RETRY"),
    *("BUNDLE_SILENCE_ROOT_WARNING", "RUBY_VERSION"),
)


def bundle(words: list[str], project: Project) -> Use:
    """Say what ``bundle install`` with a frozen lock file uses.

    Raises:
        UnprovableError: the Gemfile is more than a list, or the lock file may be written.

    """
    plain = ("--frozen", "--deployment", "--quiet", "--no-cache")
    options = {**dict.fromkeys(plain, 0), "--jobs": 1, "-j": 1, "--retry": 1, "--without": 1}
    numbered = [re.sub(r"\A-j\d+\Z", "-j=1", word) for word in words[1:]]
    if check_options(numbered, options) not in ([], ["install"]):
        raise UnprovableError(f"what {' '.join(words)} reads is not known")
    project.refuse_variables("BUNDLE_", "RUBY", "GEM_", but=_BUNDLE_VARIABLES)
    project.refuse_above("Gemfile", ".bundle", "gems.rb")
    project.refuse(
        {
            ".bundle": "its settings may name other files",
            "gems.rb": "it is read instead of the Gemfile",
            "vendor/bundle": "it is what an installation leaves",
            "vendor/cache": "bundler takes gems from there",
        }
    )
    for line in project.text("Gemfile").splitlines():
        code = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if code and not _GEMFILE_LINE.match(code):
            raise UnprovableError(f"the Gemfile has the line {code!r}, which may read other files")
    if project.has("Gemfile.lock"):
        frozen = {"--frozen", "--deployment"} & set(words) or {
            "BUNDLE_FROZEN",
            "BUNDLE_DEPLOYMENT",
        } & {name for name, one in project.variables.items() if one in {"1", "true"}}
        if not frozen:
            raise UnprovableError("bundle install may write Gemfile.lock unless it is frozen")
        if re.search(r"^(?:PATH|PLUGIN SOURCE)\s*$", project.text("Gemfile.lock"), re.M):
            raise UnprovableError("Gemfile.lock takes a gem from a local path")
    written = (".bundle", "vendor/bundle", "Gemfile.lock")
    writes = [project.path(one) for one in written if not project.has(one)]
    return Use(
        project.present("Gemfile", "Gemfile.lock"),
        (*writes, "/usr/local", "/usr/lib", "/var/lib/gems", "/root/.bundle", "/root/.gem", "/tmp"),  # noqa: S108
        (
            "bundle install reads Gemfile and Gemfile.lock of the project and nothing else of it "
            "(bundler.io); a gem's extension is built in the gem's own folder",
        ),
    )


def composer(words: list[str], project: Project) -> Use:
    """Say what ``composer install`` without scripts, plugins and autoloader uses.

    Raises:
        UnprovableError: one of the three may read the project, or a package is a local folder.

    """
    needed = ("--no-scripts", "--no-plugins", "--no-autoloader")
    plain = ("--no-dev", "--prefer-dist", "--no-interaction", "-n", "--no-progress", "--quiet")
    options = dict.fromkeys((*needed, *plain, "-q", "--no-ansi", "--ignore-platform-reqs"), 0)
    if check_options(words[1:], options) != ["install"]:
        raise UnprovableError(f"what {' '.join(words)} reads is not known")
    missing = [one for one in needed if one not in words]
    if missing:
        raise UnprovableError(
            f"composer install without {', '.join(missing)} may read the project's sources"
        )
    project.refuse_variables(
        "COMPOSER", but=("COMPOSER_ALLOW_SUPERUSER", "COMPOSER_NO_INTERACTION")
    )
    project.refuse_above("composer.json")
    project.refuse({"vendor": "composer deals with what is installed already"})
    settings = json_of(project, "composer.json")
    if '"path"' in project.text("composer.json") or settings.get("config"):
        raise UnprovableError("composer.json has settings or repositories that may name folders")
    if not project.has("composer.lock"):
        raise UnprovableError("there is no composer.lock, so composer writes one")
    if '"type": "path"' in project.text("composer.lock"):
        raise UnprovableError("composer.lock takes a package from a local path")
    return Use(
        project.present("composer.json", "composer.lock", "auth.json"),
        (project.path("vendor"), "/root/.composer", "/root/.cache", "/root/.config", "/tmp"),  # noqa: S108
        (
            "composer install without scripts, plugins and autoloader reads composer.json and "
            "composer.lock and nothing else of the project (getcomposer.org)",
        ),
    )


def cargo(words: list[str], _project: Project) -> Use:
    """Refuse every command of Cargo: a manifest without its sources is refused by Cargo itself.

    Raises:
        UnprovableError: always.

    """
    raise UnprovableError(
        f"cargo {' '.join(words[1:2])} looks for the sources that a manifest's targets mean"
    )


def apt(words: list[str], _project: Project) -> Use:
    """Say what apt-get uses: nothing of a project, if it installs packages by name.

    Raises:
        UnprovableError: an option is not known, or a package is a file.

    """
    plain = ("-y", "--yes", "-q", "-qq", "--no-install-recommends", "--quiet", "--assume-yes")
    known = {**dict.fromkeys((*plain, "--no-install-suggests", "--purge", "-yq", "-yqq"), 0)}
    return _packages(words, known, {"update", "install", "upgrade", "clean", "autoremove"})


def apk(words: list[str], _project: Project) -> Use:
    """Say what apk uses: nothing of a project, if it adds packages by name.

    Raises:
        UnprovableError: an option is not known, or a package is a file.

    """
    known = {**dict.fromkeys(("--no-cache", "--update", "-U", "-q", "--quiet"), 0)}
    return _packages(words, {**known, "--virtual": 1, "-t": 1}, {"add", "update", "del"})


def _packages(words: list[str], known: Mapping[str, int], verbs: set[str]) -> Use:
    verb, *names = check_options(words[1:], known) or [""]
    if verb not in verbs or any("/" in name or name.endswith((".deb", ".apk")) for name in names):
        raise UnprovableError(f"what {' '.join(words)} reads is not known")
    return Use(
        writes=_SYSTEM,
        obligations=(
            f"{words[0]} {verb} reads and writes system folders only "
            "(Filesystem Hierarchy Standard)",
        ),
    )


def files(words: list[str], project: Project) -> Use:
    """Say what mkdir and rm of absolute places outside of the project use.

    Raises:
        UnprovableError: a place is relative, or lies among the copied files.

    """
    places = [word for word in words[1:] if not word.startswith("-")]
    for place in places:
        whole = place.startswith(("~/", "/")) and ".." not in place
        if not whole or not project.is_outside(place.rstrip("*").rstrip("/") or "/"):
            raise UnprovableError(f"{words[0]} {place} may deal with copied files")
    areas = [place.removeprefix("~") for place in places]
    homes = [
        f"/*/{area.lstrip('/')}" for area, one in zip(areas, places, strict=True) if one[0] == "~"
    ]
    return Use(writes=(*(one for one in places if one.startswith("/")), *homes))


def nothing(_words: list[str], _project: Project) -> Use:
    """Say what a command uses that does nothing with files."""
    return Use()
