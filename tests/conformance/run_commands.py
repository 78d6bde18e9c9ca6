"""RUN by chance: trivial commands of busybox, whose output is the same for the same input.

Some write a constant whatever they read, so that an early cut-off can be seen; one in forty writes
what no other run will.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.grammar import Writer

_PLAIN = re.compile(r"/(?!etc/group)[\w./-]+")
_OUTPUTS = ("/r1", "/r2", "/out/r3", "/app/r4", "/data/r5")
_OTHERS = ("HTTP_PROXY", "TARGETARCH", "MODE", "PATH", "SOURCE_DATE_EPOCH")


def run_text(writer: Writer) -> str | None:
    """Write a RUN; None where the stage has no shell."""
    if not writer.stage.has_shell:
        return None
    if writer.dialect.mounts and writer.chance(40):
        return _with_mount(writer)
    if writer.dialect.heredocs and writer.chance(15):
        return _heredoc(writer)
    network = ""
    if writer.dialect.run_network and writer.chance(3):
        network = "--network=none "
    if writer.chance(15):
        return f"RUN {network}{_exec_form(writer)}"
    return f"RUN {network}{_command(writer)}"


def _output(writer: Writer) -> tuple[str, str]:
    """Return a command that makes a folder, if need be, and a path to write to."""
    if not writer.stage.is_root:
        return "", f"/tmp/u{writer.random.randrange(10_000)}"
    path = writer.pick(_OUTPUTS)
    folder = path.rpartition("/")[0]
    return (f"mkdir -p {folder} && " if folder else ""), path


def _command(writer: Writer) -> str:
    make, out = _output(writer)
    word = writer.word()
    files = [path for path in writer.stage.files.of_kind("file") if _PLAIN.fullmatch(path)]
    plain = {
        f"{make}echo {word} > {out}": 20,
        f"{make}echo ${writer.pick('ABC')} > {out}": 20,
        f"{make}echo ${writer.pick(_OTHERS)} > {out}": 4,
        f"{make}env > {out}": 3,
        f"{make}echo {word} \\\n    # why\n    > {out}": 4,
        f"{make}cat /proc/sys/kernel/random/uuid > {out}": 3,
        f": {word}": 12,
        f":  {word}": 4,
        "true": 6,
        f"{make}echo {word} > {out} && : ${writer.pick('ABC')}": 8,
        f"test -n here > rel{word}" if writer.stage.is_root else "id": 4,
    }
    if files and writer.stage.is_root:
        file = writer.pick(files)
        plain |= {
            f"{make}cat {file} > {out}": 16,
            f"cat {file} > /dev/null": 5,
            f"{make}cat {file} > /dev/null && echo same > {out}": 10,
            f"{make}wc -c < {file} > {out}": 8,
            f"chmod {writer.pick(('600', '640'))} {file}": 4,
            f"chown {writer.pick(('1000', '1001:50'))} {file}": 6,
            f"touch -c {file}": 4,
            f"rm -f {file}": 2,
            f"{make}ln -sf {file} {out}": 5,
            f"{make}cp {file} {out}": 4,
            f"{make}echo {word} >> {file}": 5,
        }
    return writer.weighted(plain)


def _exec_form(writer: Writer) -> str:
    word = writer.word()
    forms = [f'["echo", "{word}"]', '["true"]', f'["/bin/sh", "-c", ": {word}"]']
    if writer.stage.is_root:
        forms.append(f'["/bin/sh", "-c", "echo {word} > /r1"]')
    return writer.pick(forms)


def _heredoc(writer: Writer) -> str:
    make, out = _output(writer)
    word = writer.word()
    name = writer.pick(("EOF", "'EOF'", "-EOF"))
    if writer.chance(30):
        return f"RUN <<{name}\n#!/bin/sh\n{make}echo {word} > {out}\nEOF"
    if writer.chance(25):
        return f"RUN cat <<{name} > {out}\n{word} ${writer.pick('ABC')}\nEOF"
    return f"RUN <<{name}\n{make}echo {word} > {out}\n: $A\nEOF"


def _with_mount(writer: Writer) -> str | None:
    kind = writer.weighted(
        {"context": 34, "path": 26, "stage": 24, "cache": 18, "tmpfs": 6, "image": 4}
    )
    mount = {
        "context": _context_mount,
        "path": _path_mount,
        "stage": _stage_mount,
        "image": _stage_mount,
        "cache": _cache_mount,
        "tmpfs": _tmpfs_mount,
    }[kind](writer)
    if mount is None:
        return None
    text, command = mount
    if writer.chance(8):
        text += f" --mount=type=tmpfs,target=/t{writer.random.randrange(3)}"
    return f"RUN {text} {command}"


def _reading(writer: Writer, command: str) -> str:
    """Write what a command reads to a file, or a constant in its place."""
    make, out = _output(writer)
    if writer.chance(40):
        return f"{make}echo same > {out}"
    return f"{make}{command} > {out}"


def _access(writer: Writer) -> str:
    return writer.weighted({"": 70, ",ro": 10, ",rw": 14, ",readonly": 6})


def _context_mount(writer: Writer) -> tuple[str, str]:
    kind = writer.pick(("type=bind,", ""))
    return f"--mount={kind}target=/m{_access(writer)}", _reading(writer, "ls /m")


def _path_mount(writer: Writer) -> tuple[str, str] | None:
    paths = [
        path
        for path, file in sorted(writer.simulation.context.items())
        if file.kind in {"file", "dir", "tar"} and _PLAIN.fullmatch(f"/{path}")
    ]
    if not paths:
        return None
    path = writer.pick(paths)
    # What a mount leaves at its target is a file or a directory, and the next has to fit.
    target = "/m" if writer.simulation.context[path].kind == "dir" else "/n"
    if writer.dialect.mount_variables:
        path = writer.word_for(path)
    return (
        f"--mount=type=bind,source={path},target={target}{_access(writer)}",
        _reading(writer, f"ls -d {target}"),
    )


def _stage_mount(writer: Writer) -> tuple[str, str] | None:
    reference = writer.reference(index=False)
    if reference is None:
        return None
    tree = writer.simulation.tree_of(reference)
    own = ("/app", "/out", "/opt", "/data", "/srv", "/r1", "/w")
    paths = sorted(
        path for path, kind in tree.kinds.items() if path.startswith(own) and kind != "link"
    )
    source, target = "", "/m"
    if paths and writer.chance(80):
        path = writer.pick(paths)
        source = f",source={path}"
        target = "/m" if tree.kinds[path] == "dir" else "/n"
    return (
        f"--mount=type=bind,from={reference}{source},target={target}{_access(writer)}",
        _reading(writer, f"ls -d {target}"),
    )


def _cache_mount(writer: Writer) -> tuple[str, str]:
    name = writer.pick(("one", "two"))
    sharing = writer.pick(
        ("", ",sharing=locked", ",sharing=private", ",mode=0777", ",uid=1000", ",ro")
    )
    if sharing == ",ro":
        return f"--mount=type=cache,target=/c,id=%SALT%-{name},ro", _reading(writer, "ls -d /c")
    return (
        f"--mount=type=cache,target=/c,id=%SALT%-{name}{sharing}",
        _reading(writer, f"echo {writer.word()} >> /c/log; echo done"),
    )


def _tmpfs_mount(writer: Writer) -> tuple[str, str]:
    return "--mount=type=tmpfs,target=/t", _reading(writer, "echo done")
