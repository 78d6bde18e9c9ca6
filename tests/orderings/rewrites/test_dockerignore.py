"""Files are left out of the context only where no part of the image comes from them."""

from __future__ import annotations

from bench.orderings.rewrites import best_rewrites, find_rewrite
from tests.orderings.rewrites.projects import assert_refused, facts_of, proposed, refused

NAME = "dockerignore"
SIDE = "FROM c AS b\nWORKDIR /s\nCOPY . .\nRUN make\nFROM c\nCOPY --from=b /s/out /\n"
FILES = {"Makefile": "", "src/a.c": "", "README.md": "x", ".git/HEAD": "y", ".git/index": "z"}
ACCESS = {(0, 4): (["/s/Makefile", "/s/src"], ["/s/out"])}


def test_files_that_no_instruction_takes_in_only_make_the_context_larger() -> None:
    facts = facts_of("FROM c\nCOPY src/ /s/\nRUN make\n", FILES)
    proposal = proposed(NAME, facts)
    assert proposal.dockerignore_text == ".git\nMakefile\nREADME.md\n"
    assert proposal.dockerfile_text == facts.dockerfile.text
    assert "(3 bytes of the context)" in proposal.reason


def test_files_of_a_side_stage_that_nothing_reads_are_left_out() -> None:
    proposal = proposed(NAME, facts_of(SIDE, FILES, access=ACCESS, dockerignore="# why\n*.log"))
    assert proposal.dockerignore_text == "# why\n*.log\n.git\nREADME.md\n"
    assert any("declares" in one for one in proposal.obligations)


def test_what_is_left_out_is_not_proposed_again() -> None:
    done = best_rewrites(facts_of(SIDE, FILES, access=ACCESS), [NAME])
    assert done.dockerignore_text == ".git\nREADME.md\n"
    assert sorted(done.facts.build.manifest) == ["Dockerfile", "Makefile", "src", "src/a.c"]
    assert best_rewrites(done.facts, [NAME]).proposals == ()


def test_what_ends_in_the_image_is_a_hint_and_no_proposal() -> None:
    facts = facts_of("FROM c\nWORKDIR /s\nCOPY . .\n", FILES)
    assert_refused(NAME, facts, "leaving out .git, Dockerfile, Makefile, README.md would change")


def test_what_a_run_that_is_not_known_may_read_stays() -> None:
    assert find_rewrite(NAME).proposals(facts_of(SIDE, FILES)) == []


def test_what_is_taken_from_the_side_stage_stays() -> None:
    text = SIDE.replace("/s/out", "/s/out /s/README.md")
    proposal = proposed(NAME, facts_of(text, FILES, access=ACCESS))
    assert proposal.dockerignore_text == ".git\n"


def test_an_ignore_file_that_is_itself_copied_is_not_changed() -> None:
    files = {**FILES, "more/x": ""}
    text = SIDE + "COPY .dockerignore /x\n"
    facts = facts_of(text, {**files, ".dockerignore": ""}, access=ACCESS, dockerignore="")
    assert_refused(NAME, facts, "takes in .dockerignore itself")
    wide = {(0, 4): (["/s/Makefile", "/s/src", "/s/.dockerignore"], ["/s/out"])}
    assert_refused(NAME, facts_of(SIDE, files, access=wide), "takes in .dockerignore itself")


def test_a_context_of_several_dockerfiles_is_left_alone() -> None:
    facts = facts_of("FROM c\nCOPY src/ /s/\n", {**FILES, "web/Dockerfile.dev": ""})
    assert_refused(NAME, facts, "web/Dockerfile.dev may be built from the same context")


def test_a_mounted_file_stays() -> None:
    text = "FROM c\nCOPY src/ /s/\nRUN --mount=type=bind,source=Makefile,target=/m make\n"
    assert proposed(NAME, facts_of(text, FILES)).dockerignore_text == ".git\nREADME.md\n"
    mounts_all = text.replace("source=Makefile,", "")
    assert find_rewrite(NAME).proposals(facts_of(mounts_all, FILES)) == []


def test_a_source_of_copy_stays_though_nothing_reads_it() -> None:
    """Without it the build would fail."""
    text = SIDE.replace("COPY . .", "COPY Makefile src docs ./")
    facts = facts_of(text, {"Makefile": "", "src/a.c": "", "docs/x": "", "docs/y": ""})
    access = facts_of(text, {}, access={(0, 4): (["/s/Makefile", "/s/src"], ["/s/out"])}).access
    proposals = find_rewrite(NAME).proposals(facts.with_build(facts.build, access=access))
    assert all("docs\n" not in f"{one.dockerignore_text}" for one in proposals)


def test_refusals_say_where_nothing_is_known() -> None:
    assert refused(NAME, facts_of("FROM c\nARG A\nCOPY ${A#x} /\n", FILES))
