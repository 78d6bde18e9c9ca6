"""Real images of real engines, read and compared."""

from __future__ import annotations

import io
import secrets
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from bench.equality import compare_images, read_images
from bench.equality.saved import ImageReadError
from tests.equality.tars import (
    CAPABILITY,
    device,
    file,
    folder,
    hard_link,
    link,
    member,
    tar_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

pytestmark = pytest.mark.engine
REPOSITORY = "localhost:1/cachebench-equality"


class Images:
    """Makes images in one engine, and removes them."""

    def __init__(self, client: docker.DockerClient, base: str) -> None:
        self.client = client
        self.base = base
        self._tags: list[str] = []

    def imported(self, *members: tuple[tarfile.TarInfo, bytes]) -> str:
        api: Any = self.client.api
        tag = self._tag()
        repository, _, name = tag.rpartition(":")
        api.import_image_from_data(tar_of(*members), repository=repository, tag=name)
        return tag

    def built(self, builder: str, text: str, **files: bytes) -> str:
        tag = self._tag()
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, content in {"Dockerfile": text.encode(), **files}.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        api: Any = self.client.api
        response = api.post(
            api._url("/build"),
            params={
                "version": {"classic": "1", "buildkit": "2"}[builder],
                "t": tag,
                "networkmode": "none",
                "forcerm": "1",
            },
            data=context.getvalue(),
            headers={"Content-Type": "application/x-tar"},
        )
        assert b'"error"' not in response.content, response.text[-500:]
        return tag

    def remove(self) -> None:
        for tag in self._tags:
            self.client.images.remove(tag, force=True)

    def _tag(self) -> str:
        self._tags.append(f"{REPOSITORY}:{secrets.token_hex(6)}")
        return self._tags[-1]


@pytest.fixture
def images(any_engine: docker.DockerClient, busybox_image: str) -> Iterator[Images]:
    made = Images(any_engine, busybox_image)
    yield made
    made.remove()


ODD = (
    folder("d"),
    file("d/cap", b"x", xattrs={"security.capability": CAPABILITY}),
    hard_link("d/same", "d/cap"),
    device("d/null", 1, 3),
    member("d/pipe", type=tarfile.FIFOTYPE),
    link("d/link", "to\udcfe"),
    file("d/n\udcffm", b"q", uid=3_000_000, gid=5),
)


def test_all_that_a_layer_can_hold_comes_out_of_the_engine(images: Images) -> None:
    tags = [images.imported(*ODD), images.imported(folder("d"))]
    with read_images(images.client, tags) as (whole, _):
        entries = whole.files.entries
    assert entries["d/cap"].xattrs == (("security.capability", CAPABILITY),)
    assert entries["d/same"] == entries["d/cap"]
    assert entries["d/null"].device == (1, 3)
    assert entries["d/pipe"].type == "fifo"
    assert entries["d/link"].target == "to\udcfe"
    assert entries["d/n\udcffm"].uid == 3_000_000


def test_a_capability_alone_makes_images_differ(images: Images) -> None:
    without = file("d/cap", b"x")
    first = images.imported(*ODD)
    second = images.imported(*ODD[:1], without, *ODD[2:])
    found = compare_images(images.client, first, second).file_differences
    assert [(one.path, one.aspect) for one in found] == [
        ("/d/cap", "xattrs"),
        ("/d/same", "xattrs"),
    ]


@pytest.mark.parametrize("builder", ["classic", "buildkit"])
def test_other_ways_to_the_same_files_are_equal(images: Images, builder: str) -> None:
    salt = secrets.token_hex(4)
    first = images.built(
        builder,
        f"FROM {images.base}\nRUN mkdir /o && echo {salt} > /o/a && echo 1 > /o/b\n"
        "RUN rm -r /o /bin/arch && mkdir /o && echo 2 > /o/b\n"
        "ENV A=1 B=2\nEXPOSE 80\nCMD x\n",
    )
    second = images.built(
        builder,
        f"FROM {images.base}\nCMD x\nENV B=2\nEXPOSE 80\nENV A=1\n"
        f"RUN rm /bin/arch\nRUN : {salt}; mkdir /o && echo 2 > /o/b\n",
    )
    comparison = compare_images(images.client, first, second)
    assert comparison.words() == ["config and files are equal"]


@pytest.mark.parametrize("builder", ["classic", "buildkit"])
def test_what_differs_is_found_above_a_common_base(images: Images, builder: str) -> None:
    salt = secrets.token_hex(4)
    text = f"FROM {images.base}\nRUN echo {salt} > /salt\n"
    first = images.built(builder, text + "COPY f /f\nRUN rm /bin/arch\nUSER 7\n", f=b"1")
    second = images.built(builder, text + "COPY f /f\nRUN chmod 700 /bin\nLABEL a=1\n", f=b"2")
    comparison = compare_images(images.client, first, second)
    assert [one.field for one in comparison.config_differences] == ["Labels.a", "User"]
    assert [(one.path, one.aspect) for one in comparison.file_differences] == [
        ("/bin", "mode"),
        ("/bin/arch", "presence"),
        ("/f", "content"),
    ]


def test_an_image_that_is_not_there_is_said_to_be_missing(
    any_engine: docker.DockerClient, busybox_image: str
) -> None:
    with pytest.raises(ImageReadError, match="has no image"):
        compare_images(any_engine, busybox_image, "localhost:1/cachebench-equality:none")
