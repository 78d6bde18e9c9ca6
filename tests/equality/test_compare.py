from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.equality import ConfigDifference, FileDifference, ImageContents, compare_contents
from bench.equality.image import config_of
from bench.equality.merging import Files
from tests.equality.tars import CAPABILITY, device, file, folder, layer_of, link

if TYPE_CHECKING:
    import tarfile

BASE = Files([layer_of(folder("tmp"), file("etc/hosts", b"old"))])


def image(*members: tuple[tarfile.TarInfo, bytes], **config: Any) -> ImageContents:
    files = Files([layer_of(folder("tmp"), *members)])
    return ImageContents("sha256:1", config_of({"Config": config}), files, lambda: BASE)


def differences(one: ImageContents, other: ImageContents) -> list[tuple[str, str, str, str]]:
    comparison = compare_contents(one, other)
    assert comparison.equal == (not comparison.file_differences)
    return [(d.path, d.aspect, d.first, d.second) for d in comparison.file_differences]


def test_every_aspect_is_told_with_both_values() -> None:
    one = image(
        file("mode", mode=0o644),
        file("owner", uid=1),
        file("bytes", b"1"),
        file("kind"),
        file("only"),
        link("target", "x"),
        device("node", 1, 3),
        file("cap", xattrs={"security.capability": CAPABILITY}),
    )
    other = image(
        file("mode", mode=0o4755),
        file("owner", gid=2),
        file("bytes", b"2"),
        folder("kind"),
        link("target", "y"),
        device("node", 1, 5),
        file("cap"),
    )
    assert differences(one, other) == [
        (
            "/bytes",
            "content",
            "1 bytes sha256:6b86b273ff34",
            "1 bytes sha256:d4735e3a265e",
        ),
        ("/cap", "xattrs", f"security.capability={CAPABILITY!r}", "none"),
        ("/kind", "type", "file", "directory"),
        ("/mode", "mode", "0644", "4755"),
        ("/node", "device", "1:3", "1:5"),
        ("/only", "presence", "file", "absent"),
        ("/owner", "gid", "0", "2"),
        ("/owner", "uid", "1", "0"),
        ("/target", "target", "x", "y"),
    ]


def test_times_are_no_difference() -> None:
    assert not differences(image(file("f", mtime=1)), image(file("f", mtime=2)))


def test_config_is_compared_field_by_field() -> None:
    one = image(
        Env=["A=1", "B=2"], Cmd=["x"], Labels={"a": "1"}, WorkingDir="", ExposedPorts={"80/tcp": {}}
    )
    other = image(Env=["B=2", "A=3"], Cmd=["y"], Labels={"a": "1", "b": ""}, WorkingDir="/")
    assert compare_contents(one, other).config_differences == (
        ConfigDifference("Cmd", ["x"], ["y"]),
        ConfigDifference("Env.A", "1", "3"),
        ConfigDifference("ExposedPorts.80/tcp", {}, "absent"),
        ConfigDifference("Labels.b", "absent", ""),
    )


def test_the_order_of_variables_and_what_is_set_to_nothing_make_no_difference() -> None:
    one = image(Env=["A=1", "B=2"], Entrypoint=None, OnBuild=[], Hostname="a", Image="b")
    other = image(Env=["B=2", "A=1"], Entrypoint=[], OnBuild=None, Hostname="c")
    assert compare_contents(one, other).equal


def test_the_order_of_triggers_makes_a_difference() -> None:
    one = image(OnBuild=["RUN a", "RUN b"])
    assert not compare_contents(one, image(OnBuild=["RUN b", "RUN a"])).equal


def test_what_differs_from_build_to_build_is_no_difference() -> None:
    first = image(file("stamp", b"1"), file("same"))
    again = image(file("stamp", b"2"), file("same"))
    second = image(file("stamp", b"3"), file("same"))
    comparison = compare_contents(first, second, again)
    assert comparison.equal
    assert [one.path for one in comparison.nondeterministic] == ["/stamp"]
    assert not compare_contents(first, second).equal


def test_only_the_aspect_that_changes_by_chance_is_excused() -> None:
    first = image(file("stamp", b"1", mode=0o600))
    again = image(file("stamp", b"2", mode=0o600))
    second = image(file("stamp", b"3", mode=0o644))
    found = compare_contents(first, second, again).file_differences
    assert found == (FileDifference("/stamp", "mode", "0600", "0644"),)


def test_paths_that_come_and_go_are_no_difference() -> None:
    first = image(folder("tmp/x1"), file("tmp/x1/f"), file("tmp/keep"))
    again = image(folder("tmp/x2"), file("tmp/x2/f"), file("tmp/keep"))
    second = image(folder("tmp/x3"), file("tmp/x3/f"), file("tmp/keep"))
    comparison = compare_contents(first, second, again)
    assert comparison.equal
    assert {one.path for one in comparison.nondeterministic} == {
        "/tmp/x1",
        "/tmp/x1/f",
        "/tmp/x2",
        "/tmp/x2/f",
    }


def test_what_is_always_there_is_missed_even_beside_what_comes_and_goes() -> None:
    first = image(folder("tmp/x1"), file("tmp/keep"))
    again = image(folder("tmp/x2"), file("tmp/keep"))
    second = image(folder("tmp/x3"), file("tmp/file"))
    paths = [one.path for one in compare_contents(first, second, again).file_differences]
    assert paths == ["/tmp/file", "/tmp/keep"]


def test_another_new_path_is_a_difference_where_names_do_not_change() -> None:
    comparison = compare_contents(image(), image(file("tmp/y")), image(file("tmp/x")))
    assert [one.path for one in comparison.file_differences] == ["/tmp/y"]
    assert [one.path for one in comparison.nondeterministic] == ["/tmp/x"]


def test_words_say_little_of_a_folder_that_is_missing_as_a_whole() -> None:
    many = [file(f"d/{number}") for number in range(50)]
    one = image(folder("d"), *many, *(file(f"f{number:02}") for number in range(20)), Cmd=["x"])
    words = compare_contents(one, image(Cmd=["y"])).words()
    assert words[0] == "config Cmd: ['x'] against ['y']"
    assert words[1] == "/d: presence directory against absent"
    assert words[-1] == "and 9 more"
    assert compare_contents(one, one).words() == ["config and files are equal"]
