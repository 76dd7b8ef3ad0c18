"""``faultmaven model``: the embedded model's weights."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from faultmaven.cli.console import out

app = typer.Typer(help="The embedded model's weights.", no_args_is_help=True)


@app.callback()
def _model() -> None:
    """Keep `pull` a verb of its own although it is the only one."""


@app.command()
def pull(
    name: Annotated[
        str | None, typer.Argument(help="default, small or tiny; without it, what fits here.")
    ] = None,
) -> None:
    """Fetch and verify the weights, so that the first start need not; resumes after a cut."""
    from faultmaven.cli.progress import ModelProgress
    from faultmaven.container import container

    with ModelProgress() as progress:
        path = asyncio.run(container.get_local_model().pull(name, tell=progress))
    out().print(str(path), markup=False)
