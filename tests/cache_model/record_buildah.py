"""Record what a real buildah does with `buildah_cases`.

    python -m tests.cache_model.record_buildah

writes ``fixtures/buildah-VERSION.json``: for every sequence and build, one letter an instruction
(``b`` FROM, ``H`` hit, ``M`` miss), one word a stage that was built, with the stage's number.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cache_model.buildah_cases import BASE, SEQUENCES
from tests.support.busybox import rootfs_tar

if TYPE_CHECKING:
    from tests.cache_model.buildah_cases import Built

FIXTURES = Path(__file__).parent / "fixtures"
_STEP = re.compile(r"\A(?:\[(?P<stage>\d+)/\d+\] )?STEP \d+/\d+: (?P<keyword>[A-Z]+)")


def main() -> None:
    """Record every sequence on one fresh store."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        buildah = [
            *("buildah", "--root", f"{folder}/root", "--runroot", f"{folder}/run"),
            *("--storage-driver", "vfs"),
        ]
        version = _output([*buildah, "--version"]).split()[2]
        _make_base(buildah, folder)
        recorded = {
            sequence: [
                _build(buildah, folder / f"{sequence}-{number}", built)
                for number, built in enumerate(builds)
            ]
            for sequence, builds in SEQUENCES.items()
        }
    path = FIXTURES / f"buildah-{version}.json"
    path.write_text(json.dumps(recorded, indent=1) + "\n")
    sys.stdout.write(f"{path}: {sum(map(len, recorded.values()))} builds\n")


def _make_base(buildah: list[str], folder: Path) -> None:
    archive = folder / "busybox.tar"
    archive.write_bytes(rootfs_tar())
    _output([*buildah, "from", "--name", "base", "scratch"])
    _output([*buildah, "add", "base", str(archive), "/"])
    _output([*buildah, "commit", "base", BASE])


def _build(buildah: list[str], folder: Path, built: Built) -> str:
    for path, content in {**built.files, "Dockerfile": built.text}.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            place.mkdir()
        else:
            place.write_text(content)
    for place in [folder, *folder.rglob("*")]:
        place.chmod(0o755 if place.is_dir() else 0o644)
    for relative, mode in built.modes.items():
        (folder / relative).chmod(mode)
    arguments = [f"--build-arg={name}={value}" for name, value in built.build_args.items()]
    return _read(
        _output(
            [
                *buildah,
                *("build", "--layers", "--isolation", "chroot", "--pull-never", *arguments),
                str(folder),
            ]
        )
    )


def _read(output: str) -> str:
    stages: dict[str, str] = {}
    current = "1"
    for line in output.splitlines():
        step = _STEP.match(line)
        if step is not None:
            current = step["stage"] or "1"
            letter = "b" if step["keyword"] == "FROM" else "?"
            stages[current] = stages.get(current, "") + letter
        elif line.startswith("--> ") and stages.get(current, "").endswith("?"):
            letter = "H" if line.startswith("--> Using cache") else "M"
            stages[current] = stages[current][:-1] + letter
    return " ".join(f"{number}:{letters}" for number, letters in sorted(stages.items()))


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
