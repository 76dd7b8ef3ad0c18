"""Where a model's files lie in the cache folder, and the mark that spares a second hashing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faultmaven.errors import LocalModelError
from faultmaven.infrastructure.local_model.catalogue import CatalogueModel

_GGUF_MAGIC: Final = b"GGUF"  # https://github.com/ggml-org/ggml/blob/master/docs/gguf.md


@dataclass(frozen=True, slots=True)
class CachedWeights:
    """The files of one model in the cache folder.

    Attributes:
        model: whose weights these are.
        folder: the cache folder.
    """

    model: CatalogueModel
    folder: Path

    @property
    def path(self) -> Path:
        """The finished weights; this name exists only once they are verified."""
        return self.folder / self.model.file_name

    @property
    def partial(self) -> Path:
        """The beginning of the weights while they arrive."""
        return self.folder / f"{self.model.file_name}.partial"

    @property
    def journal(self) -> Path:
        """How much of :attr:`partial` is known to be on the disk."""
        return self.folder / f"{self.model.file_name}.journal.json"

    @property
    def mark(self) -> Path:
        """What the finished file looked like when its hash was verified."""
        return self.folder / f"{self.model.file_name}.verified.json"

    @property
    def lock(self) -> Path:
        """Held by the one process that fetches."""
        return self.folder / f"{self.model.file_name}.lock"

    @property
    def work(self) -> Path:
        """Scratch folder of the one process that fetches."""
        return self.folder / f"{self.model.file_name}.work"

    def make_folder(self) -> None:
        """Create the cache folder if needed.

        Raises:
            OSError: it cannot be created.
        """
        self.folder.mkdir(parents=True, exist_ok=True)

    def is_verified(self) -> bool:
        """Whether the finished file is the very one whose hash was verified (cheap)."""
        return self.path.is_file() and read_json(self.mark) == self._fingerprint()

    def mark_verified(self) -> None:
        """Remember that the finished file has the right hash."""
        write_json(self.mark, self._fingerprint())

    def arrived(self) -> int:
        """Bytes here so far, as seen by a process that is not the one fetching."""
        return self.partial.stat().st_size if self.partial.exists() else 0

    def _fingerprint(self) -> dict[str, object]:
        found = self.path.stat()
        return {"sha256": self.model.sha256, "size": found.st_size, "mtime_ns": found.st_mtime_ns}


def read_json(path: Path) -> dict[str, object]:
    """The object in a small file of ours; empty when it is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, content: dict[str, object]) -> None:
    """Replace a small file of ours in one step."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(path)


def check_own_file(path: Path) -> Path:
    """Check that a file given by the user is readable and a GGUF.

    Raises:
        LocalModelError: it is neither; the message says which.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_GGUF_MAGIC))
    except OSError as error:
        raise LocalModelError(
            f"LOCAL_MODEL_PATH={path} cannot be read: {error.strerror}.",
            hint="Point LOCAL_MODEL_PATH at a readable GGUF file, or unset it.",
        ) from error
    if magic != _GGUF_MAGIC:
        raise LocalModelError(
            f"LOCAL_MODEL_PATH={path} is not a GGUF file.",
            hint="Point LOCAL_MODEL_PATH at the weights of a chat model in GGUF format.",
        )
    return path
