"""An answer on a terminal while it is written, and what was tried before it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.text import Text

from faultmaven.cli.console import err, out
from faultmaven.cli.pen import Fragment, MarkdownPen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from faultmaven.models.attempt import Attempt
    from faultmaven.models.stream import Beginning, Delta


class LiveShow:
    """An `IAnswerListener` that prints what it hears on a terminal.

    Attributes:
        before_words: called once, before the first word: whatever is drawn must go.
        text: the words that were printed, as Markdown.
    """

    def __init__(self) -> None:
        self.before_words: Sequence[Callable[[], object]] = ()
        self.text = ""
        self._pen = MarkdownPen()
        self._ended = False
        self._told: set[tuple[str, str, int]] = set()

    async def on_attempt(self, attempt: Attempt) -> None:
        """Print a failed one, in a line that does not catch the eye.

        One that broke off what is being printed is told by the error that ends the command.
        """
        if attempt.succeeded:
            return
        self._told.add(_key(attempt))
        if self.text:
            return
        line = f"{attempt.provider}: {attempt.outcome} ({attempt.detail})"
        err().print(line, style="dim", markup=False)

    async def on_begin(self, beginning: Beginning) -> None:
        """Print nothing: who answers is told in the end."""

    async def on_delta(self, delta: Delta) -> None:
        """Print the next words."""
        if not self.text:
            for clear in self.before_words:
                clear()
        self.text += delta.text
        self._print(self._pen.write(delta.text))

    def end(self, *, whole: bool) -> None:
        """Finish what was printed, once, and say so where it broke off."""
        if not self.text or self._ended:
            return
        self._ended = True
        self._print(self._pen.end())
        out().print("" if whole else "[yellow]The answer breaks off here.[/yellow]")

    def untold(self, attempts: Iterable[Attempt]) -> list[Attempt]:
        """Those that have not been printed yet."""
        return [attempt for attempt in attempts if _key(attempt) not in self._told]

    def _print(self, fragments: Iterable[Fragment]) -> None:
        line = Text()
        for text, style in fragments:
            line.append(text, style)
        if line:
            out().print(line, end="", soft_wrap=True)


def _key(attempt: Attempt) -> tuple[str, str, int]:
    return attempt.provider, attempt.model, attempt.number
