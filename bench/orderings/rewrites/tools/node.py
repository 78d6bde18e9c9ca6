"""What npm, yarn and pnpm read of a project.

Sources: docs.npmjs.com ``npm ci`` ("will never write to package.json or any of the
package-locks"), ``npm install``, ``scripts`` (the life cycle of both), ``package-json``
(workspaces, local paths; a ``binding.gyp`` makes an install script), ``package-lock-json``
(``hasInstallScript``, ``link``), ``npmrc``; classic.yarnpkg.com ``yarn install``; pnpm.io
``pnpm fetch`` ("fetch packages from a lockfile into virtual store, package manifest is ignored").

What the install script of a dependency reads is anybody's guess (that of ``@prisma/client`` reads
the schema in the project that installs it), so there must be none that runs.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.tools.project import Use, check_options

if TYPE_CHECKING:
    from bench.orderings.rewrites.tools.project import Project

_HOME = ("/root/.npm", "/home/*/.npm", "/root/.config", "/root/.node-gyp", "/tmp")  # noqa: S108
_SCRIPTS = frozenset(
    {
        *("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare"),
        *("postprepare", "dependencies"),
    }
)
_GROUPS = (
    *("dependencies", "devDependencies", "optionalDependencies", "peerDependencies"),
    *("overrides", "resolutions"),
)
_LOCAL = re.compile(r"\A(?:file:|link:|portal:|workspace:|\.{0,2}/|~/)")
_NPM_OPTIONS = {
    **dict.fromkeys(
        (
            *("--omit", "--include", "--only", "--production", "--no-audit", "--no-fund"),
            *("--audit", "--fund", "--ignore-scripts", "--prefer-offline", "--silent", "-s"),
            *("--quiet", "-q", "--loglevel", "--legacy-peer-deps", "--no-progress", "--progress"),
            *("--no-optional", "--no-update-notifier", "--verbose", "--no-package-lock"),
        ),
        0,
    ),
    "--registry": 1,
}
_NPMRC_KEY = re.compile(
    r"\A(?:registry|@[\w.-]+:registry|//\S+:(?:_authToken|_auth|always-auth)|always-auth|audit|fund"
    r"|save-exact|engine-strict|legacy-peer-deps|strict-ssl|loglevel|progress|update-notifier)\Z"
)


def npm(words: list[str], project: Project) -> Use:
    """Say what ``npm ci`` and ``npm install`` without packages use.

    Raises:
        UnprovableError: a script, a local dependency, a workspace or a setting may read more.

    """
    verb, options = words[1] if len(words) > 1 else "", words[2:]
    if verb == "cache":
        return _cache_clean(words)
    if verb not in {"ci", "clean-install", "install", "i"}:
        raise UnprovableError(f"what npm {verb} reads is not known")
    if check_options(options, _NPM_OPTIONS):
        raise UnprovableError("npm installs more than the project's dependencies")
    project.refuse_variables("NPM_CONFIG_", "NODE_OPTIONS", "NODE_PATH", "INIT_CWD")
    project.refuse_above("package.json", ".npmrc")
    project.refuse({"node_modules": "npm deals with what is installed already"})
    quiet = any(one in options for one in ("--ignore-scripts", "--ignore-scripts=true"))
    check_package(project, ignore_scripts=quiet)
    _check_npmrc(project)
    lock = next(
        (one for one in ("npm-shrinkwrap.json", "package-lock.json") if project.has(one)), ""
    )
    ignored = "--no-package-lock" in options
    is_ci = verb in {"ci", "clean-install"}
    if is_ci and (ignored or not lock):
        raise UnprovableError("npm ci needs a lock file, which is not among the copied files")
    if lock and not ignored:
        if not is_ci:
            raise UnprovableError(f"npm install may write {lock} anew; npm ci never does")
        _check_lock(json_of(project, lock), lock, ignore_scripts=quiet)
    elif not quiet:
        raise UnprovableError(
            "without a lock file it is not known whether a dependency has an install script; "
            "commit package-lock.json and use npm ci, or add --ignore-scripts"
        )
    if not is_ci:
        _check_layout(project.text("package.json"))
    reads = project.present("package.json", ".npmrc", "package-lock.json", "npm-shrinkwrap.json")
    written = ("node_modules", *(() if is_ci else ("package-lock.json",)))
    writes = tuple(project.path(one) for one in written if not (ignored and "lock" in one))
    return Use(
        reads,
        (*writes, *_HOME),
        (
            f"npm {verb} reads package.json, the lock file and .npmrc of the project and nothing "
            "else of it (docs.npmjs.com); no script of the project or of a dependency runs",
        ),
    )


def yarn(words: list[str], project: Project) -> Use:
    """Say what ``yarn install --frozen-lockfile --ignore-scripts`` of Yarn 1 uses.

    Raises:
        UnprovableError: a script may run, the lock file may be written, or it is a later Yarn.

    """
    options = [one for one in words[1:] if one != "install"]
    known = ("--frozen-lockfile", "--ignore-scripts", "--production", "--non-interactive")
    more = ("--prod", "--silent", "-s", "--no-progress", "--ignore-optional", "--ignore-engines")
    if check_options(options, dict.fromkeys((*known, *more), 0)):
        raise UnprovableError("what this yarn command reads is not known")
    if not {"--frozen-lockfile", "--ignore-scripts"} <= set(options):
        raise UnprovableError(
            "yarn may write yarn.lock and run install scripts; "
            "--frozen-lockfile and --ignore-scripts keep it from that"
        )
    project.refuse_variables("YARN_", "NPM_CONFIG_", "NODE_OPTIONS", "NODE_PATH")
    project.refuse_above("package.json", ".yarnrc", ".npmrc")
    later = "it is a later Yarn, which reads more"
    settings = "its settings may name other files"
    project.refuse(
        {
            ".yarnrc.yml": later,
            ".yarn": later,
            ".pnp.cjs": later,
            ".yarnrc": settings,
            "node_modules": "yarn deals with what is installed already",
        }
    )
    package = check_package(project, ignore_scripts=True)
    if not str(package.get("packageManager", "yarn@1")).startswith("yarn@1"):
        raise UnprovableError(later)
    project.text("package.json")
    if not project.has("yarn.lock"):
        raise UnprovableError("there is no yarn.lock, so yarn writes one")
    _check_npmrc(project)
    return Use(
        project.present("package.json", "yarn.lock", ".npmrc"),
        (project.path("node_modules"), "/usr/local/share/.cache", "/root/.cache", *_HOME),
        (
            "yarn install reads package.json, yarn.lock and .npmrc of the project and nothing else "
            "of it (classic.yarnpkg.com); no script runs",
        ),
    )


def pnpm(words: list[str], project: Project) -> Use:
    """Say what ``pnpm fetch`` uses: the lock file alone.

    Raises:
        UnprovableError: it is another command, or a setting may read more.

    """
    if words[1:2] != ["fetch"] or check_options(words[2:], {"--prod": 0, "-P": 0, "--dev": 0}):
        raise UnprovableError("of pnpm only `pnpm fetch` is known to read the lock file alone")
    project.refuse_variables("PNPM_", "NPM_CONFIG_", "NODE_OPTIONS")
    project.refuse_above("pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc")
    project.refuse(
        {
            ".pnpmfile.cjs": "it is code that pnpm runs",
            "pnpm-workspace.yaml": "it may name patches and local packages",
            "node_modules": "pnpm deals with what is installed already",
        }
    )
    if not project.has("pnpm-lock.yaml"):
        raise UnprovableError("pnpm-lock.yaml is not among the copied files")
    _check_npmrc(project)
    return Use(
        project.present("pnpm-lock.yaml", ".npmrc", "package.json"),
        (project.path("node_modules"), "/root/.local", "/root/.cache", *_HOME),
        ("pnpm fetch reads the lock file and no manifest (pnpm.io/cli/fetch)",),
    )


def json_of(project: Project, name: str) -> dict[str, Any]:
    """Return what a JSON file of the project holds.

    Raises:
        UnprovableError: that is not known, or is no object.

    """
    try:
        found = json.loads(project.text(name))
    except ValueError as error:
        raise UnprovableError(f"{name} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise UnprovableError(f"{name} holds no object")
    return found


def check_package(project: Project, *, ignore_scripts: bool) -> dict[str, Any]:
    """Refuse a package.json that makes an installer read more than it; return what it holds.

    Raises:
        UnprovableError: naming what of it.

    """
    package = json_of(project, "package.json")
    if package.get("workspaces"):
        raise UnprovableError("package.json has workspaces, whose files are read too")
    scripts = package.get("scripts")
    found = sorted(_SCRIPTS & set(scripts)) if isinstance(scripts, dict) else []
    if found and not ignore_scripts:
        raise UnprovableError(f"package.json has the script {found[0]}, which may read anything")
    if project.has("binding.gyp") and not ignore_scripts:
        raise UnprovableError("binding.gyp makes npm compile the project's own sources")
    for name, value in _strings([package.get(group) for group in _GROUPS]):
        if _LOCAL.match(value):
            raise UnprovableError(f"package.json takes {name or value} from a local path")
    if "pnpm" in package or "patchedDependencies" in package:
        raise UnprovableError("package.json may name patches, which are files of the project")
    return package


def _strings(value: object, name: str = "") -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(name, value)]
    if isinstance(value, dict):
        return [one for key, item in value.items() for one in _strings(item, key)]
    if isinstance(value, list):
        return [one for item in value for one in _strings(item)]
    return []


def _check_lock(lock: dict[str, Any], name: str, *, ignore_scripts: bool) -> None:
    packages = lock.get("packages")
    if not isinstance(packages, dict):
        if not ignore_scripts:
            raise UnprovableError(f"{name} is of an old format, which does not name scripts")
        packages = {f"node_modules/{one}": of for one, of in lock.get("dependencies", {}).items()}
    for path, package in packages.items():
        if path and isinstance(package, dict):
            _check_locked(path, package, name, ignore_scripts=ignore_scripts)


def _check_locked(path: str, package: dict[str, Any], lock: str, *, ignore_scripts: bool) -> None:
    origins = [str(package.get(one, "")) for one in ("resolved", "version")]
    local = any(_LOCAL.match(origin) for origin in origins)
    if package.get("link") or local or not path.startswith("node_modules/"):
        raise UnprovableError(f"{lock} takes {path} from a local path")
    if ignore_scripts:
        return
    if package.get("hasInstallScript"):
        raise UnprovableError(
            f"the install script of {path.rpartition('node_modules/')[2]} may read anything; "
            "--ignore-scripts keeps it from running"
        )
    if any(origin.startswith("git") for origin in origins):
        raise UnprovableError(f"{path} comes from git and is built when it is installed")


def _check_npmrc(project: Project) -> None:
    if not project.has(".npmrc"):
        return
    for line in project.text(".npmrc").splitlines():
        key = line.partition("=")[0].strip()
        if key and key[0] not in "#;" and not _NPMRC_KEY.match(key):
            raise UnprovableError(f"what {key} in .npmrc makes the tool read is not known")


def _check_layout(text: str) -> None:
    """Refuse a package.json that npm before 7 would write anew in its own layout."""
    found = json.loads(text)
    for group in _GROUPS[:4]:
        names = list(found.get(group) or {})
        if names != sorted(names):
            raise UnprovableError(f"npm install may sort the {group} of package.json")
    layouts = (json.dumps(found, indent=indent, ensure_ascii=False) for indent in (2, 4, "\t"))
    if text.rstrip("\n") not in layouts:
        raise UnprovableError("npm install may write package.json anew in its own layout")


def _cache_clean(words: list[str]) -> Use:
    if words[1:] not in (["cache", "clean", "--force"], ["cache", "clean", "-f"]):
        raise UnprovableError(f"what {' '.join(words)} reads is not known")
    return Use(writes=_HOME)
