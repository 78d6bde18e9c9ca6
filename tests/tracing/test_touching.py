from __future__ import annotations

import pytest

from bench.tracing.calls import CALLS, traced
from bench.tracing.paths import Links
from bench.tracing.strace import read_calls
from bench.tracing.touching import Touched, Watched
from tests.tracing.recorded import BUSYBOX, DEBIAN, below_app, touched_in


def touched(*lines: str, links: dict[str, str] | None = None) -> Touched:
    """Return what the calls of one process touch that stands in ``/app``."""
    watched = Watched(
        1, "/app", "/bin/sh", folders={"/", "/app", "/app/d"}, links=Links.of(links or {})
    )
    for event in read_calls([f"1 {line}" if line[0].isalpha() else line for line in lines]):
        watched.take(event)
    return watched.touched


def test_a_recorded_shell_script_is_told_file_by_file() -> None:
    """See what the script does in the trace beside: it is that of `tests.tracing.record`."""
    found = touched_in(BUSYBOX)
    odd = 'a name, with "all" <of> [it] é'
    assert not found.problems
    assert below_app(found.listed) == {"src", "lonely"}
    assert below_app(found.read) == {
        *("a.txt", "missing", "moved", "src/one", "src/two", "src/back", "lonely/file", odd),
    }
    assert "/app/missing" not in found.found
    assert below_app(found.written) == {
        *("made", "moved", "deep", "deep/er", "deep/er/file", "src/one", "src/two", "src/back"),
        *("lonely", "lonely/file", odd),
    }
    assert found.entries >= {"/app", "/app/alias", "/link", "/app/src"}


def test_a_recorded_script_of_many_processes_at_once_is_told_file_by_file() -> None:
    found = touched_in(DEBIAN)
    assert not found.problems
    assert below_app(found.read) >= {"src/one", "src/two", "lonely/file", "copy/one", "by-child"}
    assert below_app(found.written) >= {
        *("src/sorted", "lonely/sorted", "copy", "own.pl", "by-child", "copy/in"),
        "src/two",  # changed through /proc/self/fd/3
    }
    assert "/there" in found.written
    assert found.executed >= {"/app/own.pl", "/usr/bin/perl", "/usr/bin/sort"}


@pytest.mark.parametrize(
    ("line", "read", "written"),
    [
        ('openat(AT_FDCWD</app>, "a", O_RDONLY) = 3</app/a>', {"/app/a"}, set()),
        ('openat(AT_FDCWD</app>, "a", O_RDONLY) = -1 ENOENT (No)', {"/app/a"}, set()),
        ('openat(AT_FDCWD</app>, "a", O_WRONLY|O_CREAT, 0666) = 3</app/a>', set(), {"/app/a"}),
        ('openat(AT_FDCWD</app>, "a", O_RDWR) = 3</app/a>', {"/app/a"}, {"/app/a"}),
        ('openat(5</else>, "a", O_RDONLY) = 3</else/a>', {"/else/a"}, set()),
        ('creat("a", 0666) = 3</app/a>', {"/app/a"}, {"/app/a"}),
        ('stat("a", 0x1) = -1 ENOENT (No)', {"/app/a"}, set()),
        ('access("/x/../y", R_OK) = 0', {"/y"}, set()),
        ('execve("./go", ["go"], 0x1 /* 2 vars */) = 0', {"/app/go"}, set()),
        ('mkdir("a", 0777) = 0', set(), {"/app/a"}),
        ('mkdir("a", 0777) = -1 EEXIST (File exists)', {"/app/a"}, set()),
        ('unlinkat(AT_FDCWD</app>, "a", 0) = 0', set(), {"/app/a"}),
        ('rmdir("a") = 0', set(), {"/app/a"}),
        ('rename("a", "/b") = 0', set(), {"/app/a", "/b"}),
        ('renameat2(3</d>, "a", AT_FDCWD</app>, "b", 0) = 0', set(), {"/d/a", "/app/b"}),
        ('link("a", "b") = 0', {"/app/a"}, {"/app/b"}),
        ('symlink("/any", "b") = 0', set(), {"/app/b"}),
        ('symlinkat("/any", 3</d>, "b") = 0', set(), {"/d/b"}),
        ('chmod("a", 0600) = 0', set(), {"/app/a"}),
        ('fchmod(3</app/a>, 0600) = 0', set(), {"/app/a"}),
        ('fchownat(3</app/a>, "", 0, 0, AT_EMPTY_PATH) = 0', set(), {"/app/a"}),
        ('utimensat(3</app/a>, NULL, [UTIME_NOW], 0) = 0', set(), {"/app/a"}),
        ('truncate("a", 0) = 0', set(), {"/app/a"}),
        ('setxattr("a", "user.x", "1", 1, 0) = 0', set(), {"/app/a"}),
        ('bind(3<socket:[1]>, {sa_family=AF_UNIX, sun_path="s"}, 4) = 0', set(), {"/app/s"}),
        (
            'connect(3<socket:[1]>, {sa_family=AF_UNIX, sun_path="/s"}, 4) = -1 ENOENT (No)',
            {"/s"},
            set(),
        ),
        ('openat(AT_FDCWD</app>, "/proc/self/maps", O_RDONLY) = 3</proc/1/maps>', set(), set()),
        ('openat(AT_FDCWD</app>, "/dev/null", O_WRONLY) = 3</dev/null>', set(), set()),
        ('newfstatat(1<pipe:[7]>, "", {st_mode=S_IFIFO}, AT_EMPTY_PATH) = 0', set(), set()),
    ],
)  # fmt: skip
def test_what_one_call_reads_and_writes(line: str, read: set[str], written: set[str]) -> None:
    found = touched(line)
    assert (found.read, found.written, found.problems) == (read, written, {})


def test_of_a_folder_that_is_only_looked_at_the_entry_was_read() -> None:
    found = touched(
        'newfstatat(AT_FDCWD</app>, "d", {st_mode=S_IFDIR|0755, ...}, 0) = 0',
        'chdir("d") = 0',
        'readlink("/app/d", 0x1, 80) = -1 EINVAL (Invalid argument)',
    )
    assert (found.entries, found.read, found.listed) == ({"/app/d"}, set(), set())


def test_a_folder_whose_names_are_read_is_listed() -> None:
    assert touched("getdents64(3</app/d>, 0x1 /* 4 entries */, 32768) = 96").listed == {"/app/d"}


def test_relative_paths_follow_the_working_directory() -> None:
    found = touched(
        'chdir("d") = 0', 'access("x", R_OK) = 0', "fchdir(3</e>) = 0", 'unlink("y") = 0'
    )
    assert "/app/d/x" in found.read
    assert found.written == {"/e/y"}


def test_what_strace_tells_of_the_working_directory_counts() -> None:
    found = touched('openat(AT_FDCWD</seen>, "/x", O_RDONLY) = 3</x>', 'unlink("y") = 0')
    assert found.written == {"/seen/y"}


def test_a_path_through_a_link_reads_the_link_and_what_it_leads_to() -> None:
    found = touched('chmod("l/x", 0600) = 0', links={"/app/l": "/far"})
    assert (found.entries, found.written) == ({"/app/l"}, {"/far/x"})


def test_paths_start_at_another_root_after_chroot() -> None:
    found = touched('chroot("d") = 0', 'chdir("/") = 0', 'unlink("/x") = 0')
    assert found.written == {"/app/d/x"}


def test_a_program_that_runs_itself_again_is_read() -> None:
    found = touched('execve("/proc/self/exe", ["ls"], 0x1 /* 2 vars */) = 0')
    assert found.executed == found.read == {"/bin/sh"}


@pytest.mark.parametrize(
    "line",
    [
        'mount("a", "/b", "tmpfs", 0, NULL) = 0',
        "io_uring_setup(64, {flags=0}) = 5<anon_inode:[io_uring]>",
        "unshare(CLONE_NEWNS) = 0",
        "clone(child_stack=NULL, flags=CLONE_NEWUSER|SIGCHLD) = 5",
        'chmod("/proc/self/fd/9", 0600) = 0',
        'rename("/proc/1/root/x", "/y") = 0',
        "open_by_handle_at(3</>, {handle_bytes=8}, O_RDONLY) = 4</x>",
    ],
)
def test_what_cannot_be_followed_is_a_problem(line: str) -> None:
    assert touched(line).problems


def test_what_failed_is_no_problem() -> None:
    refused = "= -1 EPERM (Operation not permitted)"
    assert not touched(
        f'mount("a", "/b", "tmpfs", 0, NULL) {refused}',
        f"io_uring_setup(64, {{flags=0}}) {refused}",
        f"unshare(CLONE_NEWUSER) {refused}",
    ).problems


def test_a_process_out_of_nowhere_is_a_problem() -> None:
    assert "nobody saw begin" in str(touched('77 access("x", R_OK) = 0').problems)


def test_a_trace_that_stops_short_is_told() -> None:
    watched = Watched(1, "/", "/bin/sh", folders=(), links=Links())
    events = list(
        read_calls(["1 getpid() = 1", "2 +++ exited with 0 +++", "1 +++ exited with 0 +++"])
    )
    for event, ended in zip(events, (False, False, True), strict=True):
        watched.take(event)
        assert watched.has_ended is ended


def test_every_call_is_watched_if_the_machine_has_it() -> None:
    assert traced().split(",") == [f"?{name}" for name in CALLS]
