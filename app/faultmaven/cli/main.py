"""The ``faultmaven`` command: its verbs, and how errors end it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from faultmaven.cli import ask, doctor, drill, model, providers, serve, version
from faultmaven.cli.console import complain
from faultmaven.errors import FaultMavenError

_HELP = (
    "An LLM gateway for troubleshooting: seven providers, one fallback chain, verified evidence."
)

# Pretty tracebacks would show local variables, and those hold keys.
app = typer.Typer(help=_HELP, no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(serve.serve)
app.command()(ask.ask)
app.command()(providers.providers)
app.command()(doctor.doctor)
app.command()(drill.drill)
app.command()(version.version)
app.add_typer(model.app, name="model")


@app.callback()
def _options(
    context: typer.Context,
    relative_to: Annotated[
        Path, typer.Option(hidden=True, help="Folder that relative file names start from.")
    ] = Path(),
) -> None:
    context.obj = relative_to
    # A verb shows what matters by itself; only the service writes logs, and sets them up.
    logging.getLogger("faultmaven").addHandler(logging.NullHandler())


def main() -> None:
    """Run the command; an error of ours becomes one sentence, its hint, and exit code 1."""
    try:
        app()
    except FaultMavenError as error:
        complain(str(error), error.hint)
        sys.exit(1)
