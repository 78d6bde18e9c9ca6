"""The command line: click commands and nothing else. Only this package prints."""

from __future__ import annotations

import importlib
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

import bench
from bench.errors import BenchError, ExitCode

if TYPE_CHECKING:
    from types import FrameType

# Each command lives in a module of its own and is imported only when it is used: pandas and
# matplotlib take most of a second, which `bench engine status` need not wait for.
_COMMANDS = {
    "advise": ("bench.cli.advise", "advise"),
    "bases": ("bench.cli.bases", "bases"),
    "clean": ("bench.cli.clean", "clean"),
    "engine": ("bench.cli.engine", "engine"),
    "explain": ("bench.cli.explain", "explain"),
    "init": ("bench.cli.init", "init"),
    "orderings": ("bench.cli.orderings", "orderings"),
    "plan": ("bench.cli.plan", "plan"),
    "predict": ("bench.cli.predict", "predict"),
    "replay": ("bench.cli.replay", "replay"),
    "report": ("bench.cli.report", "report"),
    "run": ("bench.cli.run", "run"),
    "schema": ("bench.cli.schema", "schema"),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(bench.__version__, prog_name="bench")
def cli() -> None:
    """Measure how well Dockerfiles use the build cache.

    \b
    First steps:
      bench plan scenarios/java-iotd     what would be built, and how often
      bench run scenarios/java-iotd      build it, step by step, on both builders
      bench report results/java-iotd-…   the answer, as tables and charts

    \b
    Exit status: 0 fine, 1 a check or expectation failed, 2 usage or scenario error, 3 no engine,
    4 a build failed or a base image cannot be had, 5 records cannot be written or read, 6 nothing
    better was found (advise), 130 interrupted (what was measured is kept).
    """  # noqa: D301  # \b is click's mark for text to leave as it stands


def main() -> NoReturn:
    """Run the command line and end with its exit status."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        result: Any = cli.main(standalone_mode=False)
    except BenchError as error:
        _fail(str(error), error.exit_code)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted; what was measured is kept", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away (bench … | head): nothing is wrong.
        sys.stderr.close()
        sys.exit(ExitCode.OK)
    sys.exit(result if isinstance(result, int) else ExitCode.OK)


def _fail(message: str, code: ExitCode) -> NoReturn:
    click.echo(f"bench: {message}", err=True)
    sys.exit(code)


def _as_interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
    # A SIGTERM ends a run like Ctrl-C does: the build is cancelled, the engine is cleaned up.
    raise KeyboardInterrupt
