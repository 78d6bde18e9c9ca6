"""What Maven reads of a project when it only resolves dependencies.

Sources: maven.apache.org ``maven-dependency-plugin`` (``go-offline``, ``resolve``,
``resolve-plugins``: they resolve, and run no other plugin), "Configuring Maven" (``.mvn``), POM
reference (parent's ``relativePath``, modules, profiles activated by files, ``systemPath``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.tools.project import Use, check_options

if TYPE_CHECKING:
    from bench.orderings.rewrites.tools.project import Project

_GOAL = re.compile(
    r"\A(?:dependency|org\.apache\.maven\.plugins:maven-dependency-plugin(?::[\w.-]+)?)"
    r":(?:go-offline|resolve|resolve-plugins)\Z"
)
_OPTIONS = {
    **dict.fromkeys(
        (
            *("-B", "--batch-mode", "-q", "--quiet", "-ntp", "--no-transfer-progress", "-e"),
            *("-U", "-DskipTests", "-Dmaven.test.skip", "-DexcludeTransitive", "-fae", "-ff"),
            *("-C", "-X", "-V", "--fail-never", "-fn"),
        ),
        0,
    ),
    **dict.fromkeys(("-P", "--activate-profiles", "-T", "--threads"), 1),
}
_BEYOND = {
    "<modules>": "it has modules, whose pom.xml are read too",
    "<subprojects>": "it has subprojects, whose pom.xml are read too",
    "<systemPath>": "a dependency is a file of the project",
    "<extensions>": "it has extensions, which may read anything",
    "basedir": "it names a folder of the project",
    "file:": "it names a local repository",
    "<file>": "a profile looks for files",
}


def mvn(words: list[str], project: Project) -> Use:
    """Say what ``mvn dependency:go-offline`` and its like use.

    Raises:
        UnprovableError: another goal is run, or the pom.xml may make Maven read more.

    """
    goals = check_options(words[1:], _OPTIONS)
    if not goals or not all(_GOAL.match(goal) for goal in goals):
        other = next((goal for goal in goals if not _GOAL.match(goal)), "without a goal")
        raise UnprovableError(f"what mvn {other} reads is not known")
    project.refuse_variables("MAVEN_", "MVN_", "JAVA_TOOL_", "JDK_", but=("MAVEN_VERSION",))
    project.refuse_above("pom.xml", ".mvn")
    project.refuse(
        {
            ".mvn/extensions.xml": "extensions may read anything",
            "target": "it is what a build of the project leaves",
        }
    )
    pom = re.sub(r"<!--.*?-->", "", project.text("pom.xml"), flags=re.DOTALL)
    for sign, why in _BEYOND.items():
        if sign in pom:
            raise UnprovableError(f"pom.xml says {sign}: {why}")
    relative = re.search(r"<relativePath>\s*([^<\s]+)\s*</relativePath>", pom)
    if relative:
        raise UnprovableError(f"pom.xml has its parent at {relative[1]}")
    for settings in project.present(".mvn/maven.config", ".mvn/jvm.config"):
        _check_settings(project, settings)
    return Use(
        project.present("pom.xml", ".mvn/maven.config", ".mvn/jvm.config"),
        ("/root/.m2", "/home/*/.m2", "/tmp", "/usr/share/maven", project.path("target")),  # noqa: S108
        (
            f"mvn {' '.join(goals)} reads pom.xml and .mvn of the project and nothing else of it, "
            "and writes only to the local repository (maven.apache.org, maven-dependency-plugin)",
        ),
    )


def _check_settings(project: Project, path: str) -> None:
    text = project.text(path)
    words = text.split()
    if path.endswith("jvm.config") and not all(re.match(r"-X(?:m[sx]|ss)\w+\Z", w) for w in words):
        raise UnprovableError(f"what {path} makes Java read is not known")
    if path.endswith("maven.config") and check_options(words, _OPTIONS):
        raise UnprovableError(f"what {path} makes Maven read is not known")
