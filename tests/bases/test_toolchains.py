"""The toolchain stand-ins: they build without a network and hold nothing of the host.

The first run makes them, which takes about a minute.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bench.bases.host import apt_sources, debian_release
from bench.bases.recipe import RECIPES, load_recipe, load_recipes
from bench.bases.standins import ensure_standin, ensure_standins

if TYPE_CHECKING:
    import docker

pytestmark = [pytest.mark.engine, pytest.mark.slow]

POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId><artifactId>app</artifactId><version>1</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source>
    <maven.compiler.target>17</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency>
      <groupId>commons-io</groupId><artifactId>commons-io</artifactId><version>2.11.0</version>
    </dependency>
    <dependency>
      <groupId>junit</groupId><artifactId>junit</artifactId><version>4.13.2</version>
      <scope>test</scope>
    </dependency>
  </dependencies>
  <build><plugins>PLUGINS</plugins></build>
</project>
"""
PLUGINS = {
    "clean": "3.2.0",
    "resources": "3.3.0",
    "compiler": "3.10.1",
    "surefire": "2.22.3",
    "jar": "3.3.0",
    "install": "3.1.0",
    "deploy": "3.0.0",
    "site": "3.12.1",
    "dependency": "3.5.0",
}
APP = (
    "public class App { static String end() "
    '{ return org.apache.commons.io.FilenameUtils.getExtension("a.b"); } }'
)
APP_TEST = (
    "public class AppTest { @org.junit.Test public void end() "
    '{ org.junit.Assert.assertEquals("b", App.end()); } }'
)


def quiet(_message: str) -> None:
    return


def run(client: docker.DockerClient, name: str, script: str, **environment: str) -> str:
    """Run a script in a container of the stand-in, without any network."""
    standin = ensure_standin(client, load_recipe(name), progress=quiet)
    output = client.containers.run(
        standin.recipe.tag,
        ["sh", "-euc", script],
        network_mode="none",
        environment=environment,
        stderr=True,
        remove=True,
    )
    return output.decode()


def test_go_builds_a_main_without_a_module(engine_client: docker.DockerClient) -> None:
    source = 'package main\nimport "net/http"\nfunc main() { println(http.StatusOK) }\n'
    script = 'pwd; echo "$SOURCE" > main.go; go build -o /server; /server'
    assert run(engine_client, "golang", script, SOURCE=source) == "/go\n200\n"


def test_maven_goes_offline_and_packages(engine_client: docker.DockerClient) -> None:
    plugins = "".join(
        f"<plugin><artifactId>maven-{name}-plugin</artifactId><version>{version}</version>"
        f"{'<configuration><forkCount>0</forkCount></configuration>' * (name == 'surefire')}"
        "</plugin>"
        for name, version in PLUGINS.items()
    )
    script = """
        mkdir -p /app/src/main/java /app/src/test/java; cd /app
        echo "$POM" > pom.xml
        mvn -B dependency:go-offline
        du -sm /root/.m2 | cut -f1
        echo "$APP" > src/main/java/App.java
        echo "$APP_TEST" > src/test/java/AppTest.java
        mvn package
        ls target/app-1.jar
    """
    pom = POM.replace("PLUGINS", plugins)
    said = run(engine_client, "maven", script, POM=pom, APP=APP, APP_TEST=APP_TEST)
    assert said.count("BUILD SUCCESS") == 2
    assert "Tests run: 1, Failures: 0" in said
    assert said.endswith("target/app-1.jar\n")


def test_java_runs_in_the_runtime_image(engine_client: docker.DockerClient) -> None:
    assert "OpenJDK" in run(engine_client, "openjdk", "java -version")


def package_json(**versions: str) -> str:
    """Return the recipe's own package.json with some versions changed."""
    content: dict[str, Any] = json.loads((RECIPES / "node" / "package.json").read_text())
    for group in ("dependencies", "devDependencies"):
        content[group].update({k: v for k, v in versions.items() if k in content[group]})
    return json.dumps(content)


@pytest.mark.parametrize(
    "versions",
    [{}, {"express": "4.21.2"}, {"winston": "3.18.3", "mocha": "10.8.2", "supertest": "7.1.0"}],
    ids=["as recorded", "express bumped", "others bumped"],
)
def test_npm_installs_from_the_cache(
    engine_client: docker.DockerClient, versions: dict[str, str]
) -> None:
    script = """
        mkdir /src; cd /src; echo "$PACKAGE" > package.json
        npm install
        node -e 'for (const p of ["express", "morgan", "winston", "mocha", "supertest"]) require(p)'
    """
    said = run(engine_client, "node", script, PACKAGE=package_json(**versions))
    assert "added" in said


def test_npm_fails_at_once_for_what_is_not_in_the_cache(
    engine_client: docker.DockerClient,
) -> None:
    script = 'mkdir /src; cd /src; echo "$PACKAGE" > package.json; ! npm install 2>&1'
    said = run(engine_client, "node", script, PACKAGE=package_json(express="4.17.0"))
    assert "ENOTCACHED" in said


@pytest.mark.parametrize("folder", [".", "bumped"])
def test_pip_installs_from_the_wheels(engine_client: docker.DockerClient, folder: str) -> None:
    requirements = (RECIPES / "python" / folder / "requirements.txt").read_text()
    script = """
        echo "$REQUIREMENTS" > requirements.txt
        pip install --no-cache-dir -r requirements.txt > /dev/null
        pip check
        python -c 'import pytest, requests, starlette.applications, uvicorn'
        pip freeze
    """
    said = run(engine_client, "python", script, REQUIREMENTS=requirements)
    assert "No broken requirements found." in said
    assert set(requirements.split()) <= set(said.split())


def test_pip_fails_at_once_for_what_is_not_among_the_wheels(
    engine_client: docker.DockerClient,
) -> None:
    script = "! pip install requests==2.0.0 2>&1"
    assert "No matching distribution found" in run(engine_client, "python", script)


def test_c_is_compiled_by_make(engine_client: docker.DockerClient) -> None:
    source = '#include <stdio.h>\nint main(void) { puts("made"); return 0; }\n'
    script = 'cd /tmp; echo "$SOURCE" > made.c; make -s made; ./made'
    assert run(engine_client, "gcc", script, SOURCE=source) == "made\n"


def test_nothing_of_the_host_is_in_an_image(engine_client: docker.DockerClient) -> None:
    """No apt sources, no installation files, no mirror named in the image's history."""
    sites = {source.site for source in apt_sources(debian_release())}
    recipes = [recipe for recipe in load_recipes() if recipe.name != "busybox"]
    script = """
        find /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists \
            /etc/apt/apt.conf.d/zz-host /tmp/cachebench -type f 2> /dev/null || true
    """
    for standin in ensure_standins(engine_client, recipes, progress=quiet):
        assert run(engine_client, standin.recipe.name, script) == ""
        history = json.dumps(engine_client.images.get(standin.recipe.tag).history())
        assert not [site for site in sites if site in history]
