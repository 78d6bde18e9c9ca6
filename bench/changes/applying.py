"""Applying a change: each operation does its work on the scratch copy, or says why not."""

from __future__ import annotations

import hashlib
import shutil
import stat
from functools import singledispatch
from typing import TYPE_CHECKING

from bench.changes import operations as op
from bench.changes.bump import bump
from bench.changes.files import move_forward, own_inode, remove, write_content
from bench.changes.git_source import check_out
from bench.changes.paths import entry_inside, resolve_inside
from bench.changes.programs import run_program
from bench.changes.trees import advance, fingerprint, now_ns, restore, walk
from bench.changes.work import Work, nothing_changed
from bench.errors import ChangeError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.changes.change import Change
    from bench.changes.placeholders import ChangeIds
    from bench.changes.state import SourceState

DOCKERIGNORE = ".dockerignore"
PATCH_SECONDS = 60.0


def apply_change(change: Change, state: SourceState, ids: ChangeIds) -> None:
    """Apply the steps of ``change`` in their order to ``state``.

    Raises:
        ChangeError: a step cannot be done, would lead out of the scratch copy, or would change
            nothing. The steps before it are done; the caller resets the scratch copy.

    """
    for index, step in enumerate(change.steps):
        where = f"change {change.name!r}, steps[{index}] ({step.operation})"
        try:
            perform(step, Work(state, ids))
        except ChangeError as error:
            raise ChangeError(f"{where}: {error.message}", remedy=error.remedy) from error
        except (OSError, ValueError, shutil.Error) as error:
            raise ChangeError(
                f"{where}: {error}", remedy="mend the step, or make the file usable"
            ) from error


@singledispatch
def perform(step: op.OperationBase, work: Work) -> None:
    """Do one operation.

    Raises:
        ChangeError: it cannot be done, or changes nothing.

    """
    raise NotImplementedError(f"operation {step.operation} for {work.state.root}")


@perform.register
def _append(step: op.Append, work: Work) -> None:
    file = work.file(step.path)
    _rewrite(file, step.path, file.read_bytes() + work.fill(step.text).encode())


@perform.register
def _prepend(step: op.Prepend, work: Work) -> None:
    file = work.file(step.path)
    _rewrite(file, step.path, work.fill(step.text).encode() + file.read_bytes())


def _rewrite(file: Path, name: str, content: bytes) -> None:
    if content == file.read_bytes():
        raise nothing_changed(f"{name} has this content already", "give a text with {id}")
    write_content(file, content)


@perform.register
def _replace(step: op.Replace, work: Work) -> None:
    file = work.file(step.path)
    content, old = file.read_bytes(), step.old.encode()
    if old not in content:
        raise nothing_changed(
            f"{step.path} does not contain {step.old!r}", "give a text that is in the file"
        )
    _rewrite(file, step.path, content.replace(old, work.fill(step.new).encode()))


@perform.register
def _write(step: op.Write, work: Work) -> None:
    path = work.fill(step.path)
    file = resolve_inside(work.state.root, path)
    content = work.fill(step.text).encode()
    if file.exists():
        _rewrite(work.file(step.path), path, content)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_content(file, content)


@perform.register
def _grow(step: op.Grow, work: Work) -> None:
    file = work.file(step.path)
    write_content(file, file.read_bytes() + filler(work.ids.id, step.bytes))


def filler(seed: str, size: int) -> bytes:
    """Return ``size`` bytes in lines of hexadecimal digits, the same for the same seed."""
    line = 65  # 64 digits and a line break
    blocks = (
        hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()
        for number in range(size // line + 1)
    )
    return "".join(f"{block}\n" for block in blocks).encode()[:size]


@perform.register
def _delete(step: op.Delete, work: Work) -> None:
    remove(work.entry(step.path))


@perform.register
def _rename(step: op.Rename, work: Work) -> None:
    source, target = _pair(step.path, step.to, work)
    source.rename(target)
    _forward_all(target)


@perform.register
def _copy(step: op.Copy, work: Work) -> None:
    source, target = _pair(step.path, step.to, work)
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target, follow_symlinks=False)
    _forward_all(target)


def _pair(path: str, to: str, work: Work) -> tuple[Path, Path]:
    source = work.entry(path)
    if entry_inside(work.state.root, work.fill(to)).is_relative_to(source):
        raise ChangeError(f"{to!r} lies in {path!r} itself", remedy="name another place")
    return source, work.vacancy(to)


def _forward_all(path: Path) -> None:
    """Move everything at a new place forward: what stood there before may have the same mtime."""
    if path.is_dir() and not path.is_symlink():
        for one in walk(path):
            move_forward(one)
    move_forward(path)


@perform.register
def _touch(step: op.Touch, work: Work) -> None:
    move_forward(work.existing(step.path))


@perform.register
def _chmod(step: op.Chmod, work: Work) -> None:
    path, mode = work.existing(step.path), int(step.mode, 8)
    if stat.S_IMODE(path.stat().st_mode) == mode:
        raise nothing_changed(f"{step.path} has mode {step.mode} already", "give another mode")
    own_inode(path)
    path.chmod(mode)


@perform.register
def _bump(step: op.Bump, work: Work) -> None:
    file = work.file(step.path)
    value = work.fill(step.value) if isinstance(step.value, str) else step.value
    write_content(file, bump(step.path, file.read_bytes(), step.key, value))


@perform.register
def _dockerfile(step: op.EditDockerfile, work: Work) -> None:
    name = work.state.dockerfile
    file = work.file(name)
    content, old = file.read_bytes(), step.old.encode()
    times = content.count(old)
    if times != 1:
        raise ChangeError(
            f"{step.old!r} stands {times} times in {name}",
            remedy="give a text that stands there exactly once",
        )
    _rewrite(file, name, content.replace(old, work.fill(step.new).encode()))


@perform.register
def _dockerignore(step: op.Dockerignore, work: Work) -> None:
    file = resolve_inside(work.state.root, DOCKERIGNORE)
    content = work.file(DOCKERIGNORE).read_bytes() if file.exists() else b""
    pattern = work.fill(step.pattern).encode()
    if pattern in (line.strip() for line in content.splitlines()):
        raise nothing_changed(f"{step.pattern!r} is in {DOCKERIGNORE} already", "add another one")
    gap = b"" if not content or content.endswith(b"\n") else b"\n"
    write_content(file, content + gap + pattern + b"\n")


@perform.register
def _build_arg(step: op.BuildArg, work: Work) -> None:
    value = work.fill(step.value)
    if work.state.build_args.get(step.name) == value:
        raise nothing_changed(f"{step.name} is {value!r} already", "give a value with {id}")
    work.state.build_args[step.name] = value


@perform.register
def _base(step: op.Base, work: Work) -> None:
    if work.state.base_layers.get(step.image) == work.ids.id:
        raise nothing_changed(f"{step.image} has this layer already", "leave the second one out")
    work.state.base_layers[step.image] = work.ids.id


@perform.register
def _git(step: op.Git, work: Work) -> None:
    if not check_out(work.state, step.revision):
        raise nothing_changed(
            f"the context is the same in {step.revision}", "name a commit that touches the context"
        )


@perform.register
def _patch(step: op.Patch, work: Work) -> None:
    root = work.state.root
    if work.state.scenario is None:
        raise ChangeError("there is no scenario folder", remedy="give the state a scenario folder")
    file = resolve_inside(work.state.scenario, step.file)
    if not file.is_file():
        raise ChangeError(f"there is no file {file}", remedy="put it in the scenario folder")
    # git refuses paths that leave the folder or go through symlinks; a repository around the
    # scratch copy would make it take paths from that one's root, so none above is looked for.
    command = ["git", "apply", "--whitespace=nowarn", str(file)]
    command = ["git", "apply", "--whitespace=nowarn", str(file)]
    before, started = fingerprint(root), now_ns()
    run_program(
        command,
        folder=root,
        timeout=PATCH_SECONDS,
        environment={"GIT_CEILING_DIRECTORIES": str(root.resolve().parent)},
        remedy=f"make {step.file} a unified diff of the context, with paths a/... and b/...",
    )
    if not advance(root, before, started):
        raise nothing_changed(f"{step.file} alters no file", "give a diff that does")


@perform.register
def _run(step: op.Run, work: Work) -> None:
    root = work.state.root
    command = [work.fill(part) for part in step.command]
    before, started = fingerprint(root), now_ns()
    run_program(
        command,
        folder=root,
        timeout=step.timeout,
        environment={},
        remedy="mend the command; it runs in a copy of the context, without a shell",
    )
    if not advance(root, before, started):
        raise nothing_changed(
            f"{command[0]!r} left every file, its content and its mode as they were",
            "let it alter a file, or use touch where only an mtime shall move",
        )


@perform.register
def _revert(step: op.Revert, work: Work) -> None:
    pristine = work.state.pristine
    if pristine is None:
        raise ChangeError("there is nothing to revert to", remedy="give the state a pristine tree")
    if step.path is True:
        changed = restore(pristine.resolve(), work.state.root.resolve())
        what = "everything"
    else:
        what = work.fill(step.path)
        changed = restore(entry_inside(pristine, what), entry_inside(work.state.root, what))
    if not changed:
        raise nothing_changed(f"{what} is as it was at first", "change it before, or leave it out")


@perform.register
def _none(step: op.Nothing, work: Work) -> None:
    """Change nothing, as asked."""
