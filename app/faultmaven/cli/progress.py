"""Show what the embedded model is doing: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from faultmaven.cli.console import err

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import TracebackType

    from rich.console import Console
    from rich.progress import Progress

    from faultmaven.models.status import LocalModelStatus

_STEP = 0.1  # share of a download after which a plain line is worth printing
_BUSY = frozenset({"starting", "downloading", "loading", "restarting"})


class ModelProgress:
    """Is told every status of the embedded model and shows it.

    Args:
        console: where; standard error by default.
        unsaid: states that get no line.
    """

    def __init__(
        self, console: Console | None = None, *, unsaid: Collection[str] = ("off", "stopped")
    ) -> None:
        self._given = console
        self._unsaid = unsaid
        self._shown: tuple[str, int] | None = None
        self._bar: Progress | None = None
        self._last: LocalModelStatus | None = None
        self._ended = False

    def __enter__(self) -> Self:
        """Show from now on."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""
        self.end()

    def end(self) -> None:
        """Show nothing from now on."""
        self._ended = True
        self._end_bar()

    def __call__(self, status: LocalModelStatus) -> None:
        """Show one moment."""
        if self._ended:
            return
        if status.state in _BUSY and self._console.is_terminal:
            self._draw(status)
            return
        self._last = None
        self._end_bar()
        self._say(status)

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Make room for other output, and go on afterwards."""
        drawn, self._last = self._last, None
        self._end_bar()
        yield
        if drawn is not None:
            self._draw(drawn)

    @property
    def _console(self) -> Console:
        return self._given or err()

    def _draw(self, status: LocalModelStatus) -> None:
        bar = self._bar or self._begin_bar()
        if self._last is None or self._last.state != status.state:
            for task in bar.task_ids:
                bar.remove_task(task)
            bar.add_task(status.message, total=None if status.progress is None else 1.0)
        self._last = status
        bar.update(bar.task_ids[0], completed=status.progress, refresh=True)

    def _begin_bar(self) -> Progress:
        from rich import progress

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TimeRemainingColumn(),
        )
        bar = progress.Progress(*columns, console=self._console, transient=True)
        # While a bar is drawn, rich has a stand-in for standard error that writes above it.
        bar.start()
        self._bar = bar
        return bar

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _say(self, status: LocalModelStatus) -> None:
        """One line a state, and one for every tenth of a download."""
        step = (status.state, int((status.progress or 0) / _STEP))
        if step == self._shown or status.state in self._unsaid:
            return
        self._shown = step
        if status.state == "failed":
            self._line(f"Embedded model: {status.message}", style="red")
            self._line(status.hint or "")
            return
        share = "" if status.progress is None else f" {status.progress:.0%}"
        self._line(f"Embedded model: {status.message}{share}")

    def _line(self, text: str, *, style: str = "") -> None:
        if text:
            self._console.print(text, style=style, markup=False, soft_wrap=True)
