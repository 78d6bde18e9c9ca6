"""What each row of the table says that a command reads, and what it refuses to say."""

from __future__ import annotations

import pytest

from bench.dockerfile import parse
from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.tools import Project, use_of
from bench.orderings.rewrites.tools.shell import commands

SHELL = ("/bin/sh", "-c")
POM = "<project><parent><groupId>g</groupId></parent></project>"
GEMFILE = (
    'source "https://rubygems.org"\ngem "rails", "~> 7.0", require: false # why\n'
    "group :development, :test do\n  gem 'x'\nend\nruby '3.2'\n"
)
GO_MOD = (
    "module m\n\ngo 1.21\n\nrequire (\n\tgithub.com/a/b v1.2.0\n\tx.org/c v0.1.0 // indirect\n)\n"
)
GO_SUM = "".join(
    f"{name} h1:=\n{name}/go.mod h1:=\n" for name in ("github.com/a/b v1.2.0", "x.org/c v0.1.0")
)


def _reads(run: str, files: dict[str, str], variables: dict[str, str] | None = None) -> list[str]:
    instruction = parse(f"FROM a\nRUN {run}\n").stages[0].instructions[1]
    project = Project("/app", {f"/app/{one}": one for one in files}, files, variables or {})
    return [one.removeprefix("/app/") for one in use_of(instruction, SHELL, project).reads]


@pytest.mark.parametrize(
    ("run", "files", "reads"),
    [
        ("pip install -r requirements.txt", {"requirements.txt": "flask==3.0\n"}, 1),
        ("pip3 install --no-cache-dir -U -r requirements.txt", {"requirements.txt": ""}, 1),
        ('["pip", "install", "-r", "requirements.txt"]', {"requirements.txt": ""}, 1),
        ("python -m pip install -r r.txt gunicorn==21.2", {"r.txt": "", "app.py": ""}, 1),
        ("pip install 'uvicorn[standard]>=0.2' flask", {"app.py": ""}, 0),
        (
            "pip install -r req/all.txt",
            {
                "req/all.txt": "-r base.txt # more\n--requirement=dev.txt\n-c ../limits.txt\n",
                "req/base.txt": 'a[b]>=1,<2; python_version < "3.9" \\\n  --hash=sha256:00\n',
                "req/dev.txt": "--index-url https://x/simple\n# nothing\n-r base.txt\n",
                "limits.txt": "x @ https://x/x-1.zip\ngit+https://x/y.git\n",
            },
            4,
        ),
        ("mvn -B dependency:go-offline", {"pom.xml": POM}, 1),
        (
            "mvn -q -ntp dependency:resolve dependency:resolve-plugins -P dev",
            {"pom.xml": POM, ".mvn/maven.config": "-B\n-T 4", ".mvn/jvm.config": "-Xmx1g"},
            3,
        ),
        ("go mod download", {"go.mod": GO_MOD, "go.sum": GO_SUM}, 2),
        ("go mod download -x", {"go.mod": "module m\n\ngo 1.11\n"}, 1),
        ("bundle install --frozen -j4", {"Gemfile": GEMFILE, "Gemfile.lock": "GEM\n"}, 2),
        ("bundle install --jobs 4", {"Gemfile": GEMFILE}, 1),
        (
            "composer install --no-scripts --no-plugins --no-autoloader --no-dev",
            {"composer.json": "{}", "composer.lock": "{}"},
            2,
        ),
        (
            "yarn install --frozen-lockfile --ignore-scripts",
            {"package.json": "{}", "yarn.lock": ""},
            2,
        ),
        ("pnpm fetch --prod", {"pnpm-lock.yaml": ""}, 1),
        ("set -eux; apt-get update && apt-get install -y --no-install-recommends gcc", {}, 0),
        ("apt-get install -y gcc && rm -rf /var/lib/apt/lists/*", {}, 0),
        ("apk add --no-cache --virtual .deps gcc musl-dev", {}, 0),
        ("mkdir -p /data", {}, 0),
        ("npm cache clean --force && true", {}, 0),
    ],
)
def test_known_commands_read_what_their_documentation_says(
    run: str, files: dict[str, str], reads: int
) -> None:
    assert len(_reads(run, {**files, "src/main.c": ""})) == reads


@pytest.mark.parametrize(
    ("run", "files", "why"),
    [
        ("pip install .", {}, "may be a part of the project"),
        ("pip install -e .", {}, "option -e"),
        ("pip install ./x.whl", {}, "may be a part of the project"),
        ("pip install x.whl", {}, "may be a part of the project"),
        ("pip install -r requirements.txt", {}, "not among the copied files"),
        ("pip install -r r.txt", {"r.txt": "-e .\n"}, "'-e .'"),
        ("pip install -r r.txt", {"r.txt": "./local\n"}, "may name a local path"),
        ("pip install -r r.txt", {"r.txt": "x @ file:///x\n"}, "may name a local path"),
        ("pip install -r r.txt", {"r.txt": "-f wheels\n"}, "in a local folder"),
        ("pip install -r r.txt", {"r.txt": "-r gone.txt\n"}, "gone.txt is not among"),
        ("pip install -r r.txt", {"r.txt": "a\n", "env/pyvenv.cfg": ""}, "virtual environment"),
        ("pip install -t lib x", {}, "option -t"),
        ("python -m pip install x", {"typing.py": ""}, "may import typing"),
        ("python setup.py install", {}, "is not known"),
        ("pip install *.txt", {}, "by a pattern"),
        ("pip download x", {}, "what pip download reads"),
        ("mvn package", {"pom.xml": POM}, "what mvn package reads"),
        ("mvn dependency:go-offline package", {"pom.xml": POM}, "what mvn package reads"),
        ("mvn", {"pom.xml": POM}, "without a goal"),
        ("mvn dependency:go-offline -f x/pom.xml", {"pom.xml": POM}, "option -f"),
        ("mvn dependency:go-offline", {"pom.xml": "<modules>"}, "modules"),
        ("mvn dependency:go-offline", {"pom.xml": "<systemPath>"}, "file of the project"),
        ("mvn dependency:go-offline", {"pom.xml": "<extensions>true"}, "extensions"),
        ("mvn dependency:go-offline", {"pom.xml": "file://${basedir}"}, "folder of the project"),
        (
            "mvn dependency:go-offline",
            {"pom.xml": "<relativePath> ../p/pom.xml </relativePath>"},
            "its parent at ../p/pom.xml",
        ),
        ("mvn dependency:go-offline", {"pom.xml": POM, "target": ""}, "leaves"),
        ("mvn dependency:go-offline", {"pom.xml": POM, ".mvn/extensions.xml": ""}, "extensions"),
        ("mvn dependency:go-offline", {"pom.xml": POM, ".mvn/maven.config": "-f x"}, "option -f"),
        ("mvn dependency:go-offline", {"pom.xml": POM, ".mvn/jvm.config": "-javaagent:x"}, "Java"),
        ("go build", {}, "what go build reads"),
        ("go mod tidy", {}, "what go mod reads"),
        ("go mod download", {"go.mod": "replace a.org/x => ./x"}, "by the folder ./x"),
        ("go mod download", {"go.mod": GO_MOD, "vendor": ""}, "looks there"),
        ("go mod download", {"go.mod": GO_MOD, "go.work": ""}, "workspace"),
        ("go mod download", {"go.mod": GO_MOD, "go.sum": ""}, "may be written"),
        ("go mod download", {"go.mod": GO_MOD.replace("1.21", "1.16")}, "below `go 1.17`"),
        ("bundle install", {"Gemfile": GEMFILE, "Gemfile.lock": ""}, "unless it is frozen"),
        ("bundle install", {"Gemfile": "gem 'x', path: 'y'"}, "may read other files"),
        ("bundle install", {"Gemfile": "eval_gemfile 'x'"}, "may read other files"),
        ("bundle install", {"Gemfile": "gemspec"}, "may read other files"),
        (
            "bundle install --frozen",
            {"Gemfile": GEMFILE, "Gemfile.lock": "PATH\n  remote: x\n"},
            "from a local path",
        ),
        ("bundle exec rake", {"Gemfile": GEMFILE}, "is not known"),
        ("composer install --no-scripts", {}, "--no-plugins, --no-autoloader"),
        ("yarn install", {"package.json": "{}", "yarn.lock": ""}, "may write yarn.lock"),
        (
            "yarn --frozen-lockfile --ignore-scripts",
            {"package.json": '{"packageManager": "yarn@4.1"}', "yarn.lock": ""},
            "a later Yarn",
        ),
        ("pnpm install", {}, "of pnpm only"),
        ("apt-get install -y ./x.deb", {}, "is not known"),
        ("apt-get -o Dir=/app update", {}, "option -o"),
        ("rm -rf dist", {}, "may deal with copied files"),
        ("rm -rf /app/dist", {}, "may deal with copied files"),
        ("rm -rf /*", {}, "may deal with copied files"),
    ],
)
def test_what_may_read_more_is_refused(run: str, files: dict[str, str], why: str) -> None:
    with pytest.raises(UnprovableError, match=".*" + why.replace("*", r"\*")):
        _reads(run, {**files, "dist": ""})


@pytest.mark.parametrize(
    ("run", "above"),
    [
        ("npm ci", "package.json"),
        ("mvn dependency:go-offline", "pom.xml"),
        ("go mod download", "go.work"),
        ("bundle install", ".bundle"),
    ],
)
def test_files_in_folders_above_are_looked_for_too(run: str, above: str) -> None:
    instruction = parse(f"FROM a\nRUN {run}\n").stages[0].instructions[1]
    texts = {"package.json": "{}", "pom.xml": POM, "go.mod": "", "Gemfile": ""}
    files = {**{f"/app/web/{name}": name for name in texts}, f"/app/{above}": above}
    with pytest.raises(UnprovableError, match="also looks at"):
        use_of(instruction, SHELL, Project("/app/web", files, texts))


@pytest.mark.parametrize(
    ("run", "variable"),
    [
        ("pip install flask", "PIP_REQUIREMENT"),
        ("pip install flask", "PYTHONPATH"),
        ("go mod download", "GOFLAGS"),
        ("mvn dependency:go-offline", "MAVEN_ARGS"),
        ("bundle install", "BUNDLE_GEMFILE"),
    ],
)
def test_settings_in_the_environment_are_not_known(run: str, variable: str) -> None:
    with pytest.raises(UnprovableError, match=variable):
        _reads(run, {"pom.xml": POM, "go.mod": "", "Gemfile": ""}, {variable: "x"})


def test_settings_that_name_no_files_change_nothing() -> None:
    variables = {"PYTHONUNBUFFERED": "1", "PIP_NO_CACHE_DIR": "1"}
    assert _reads("pip install -r r.txt", {"r.txt": ""}, variables) == ["r.txt"]


def test_a_file_that_takes_the_place_of_a_command_is_refused() -> None:
    with pytest.raises(UnprovableError, match="a file called pip"):
        _reads("pip install flask", {"bin/pip": ""})


def test_a_shell_command_is_split_as_a_shell_splits_it() -> None:
    assert commands("a 'b c' && d \"e\";f") == [["a", "b c"], ["d", "e"], ["f"]]


@pytest.mark.parametrize("text", ["a `b`", "a || b", "a & b", "a 'b", "(a)", "a $b", "X=1 a"])
def test_more_than_plain_commands_is_refused(text: str) -> None:
    with pytest.raises(UnprovableError):
        commands(text)
