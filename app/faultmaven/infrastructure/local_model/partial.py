"""The weights while they arrive: a growing prefix of the file, which survives a cut."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from threading import Event
from typing import Final

from faultmaven.infrastructure.local_model.cache import CachedWeights, read_json, write_json

CHUNK: Final = 1 << 20
"""Bytes hashed or copied at a time."""


class WeightsMismatchError(Exception):
    """The assembled file is not the one its makers published."""


class PartialWeights:
    """The prefix of a model's weights that is here, open for appending.

    Every source delivers the same bytes, so a prefix begun by one can be continued by
    another. Not safe to use from two processes: hold the lock.

    Attributes:
        files: where it lies.
        size: bytes that are here.
    """

    def __init__(self, files: CachedWeights) -> None:
        """Open the prefix; what was written after the last :meth:`commit` is cut off."""
        self.files = files
        self.size = 0
        self._hash = hashlib.sha256()
        files.partial.touch()
        self._file = files.partial.open("r+b")
        self._file.truncate(self._journaled_size())

    def resume(self, stop: Event) -> None:
        """Hash what a former run left; blocks for seconds.

        Setting ``stop`` ends it early, and the object is then good only for :meth:`close`.
        """
        while not stop.is_set() and (chunk := self._file.read(CHUNK)):
            self._hash.update(chunk)
            self.size += len(chunk)

    def close(self) -> None:
        """Close the file and keep it, for the next run to go on with."""
        self._file.close()

    @property
    def missing(self) -> int:
        """Bytes still to come."""
        return self.files.model.size - self.size

    def append(self, chunk: bytes) -> None:
        """Add the next bytes.

        Raises:
            WeightsMismatchError: there are more of them than the model has.
        """
        if len(chunk) > self.missing:
            raise WeightsMismatchError(f"more than the expected {self.files.model.size} bytes")
        self._file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    def commit(self) -> None:
        """Vouch for everything appended so far, so that it survives a crash."""
        self._file.flush()
        os.fsync(self._file.fileno())
        write_json(self.files.journal, {"sha256": self.files.model.sha256, "bytes": self.size})

    def discard(self) -> None:
        """Forget everything that has arrived."""
        self._file.seek(0)
        self._file.truncate(0)
        self._hash = hashlib.sha256()
        self.size = 0
        self.commit()

    def finish(self) -> Path:
        """Verify the whole and give it its final name.

        Raises:
            WeightsMismatchError: it is too short or has another hash.
        """
        self.commit()
        model = self.files.model
        found = self._hash.hexdigest()
        if self.missing or found != model.sha256:
            raise WeightsMismatchError(f"sha256 {found} instead of {model.sha256}")
        self.files.partial.replace(self.files.path)
        self.files.mark_verified()
        self.files.journal.unlink()
        return self.files.path

    def _journaled_size(self) -> int:
        """Bytes of the prefix that belong to this model and reached the disk."""
        journal = read_json(self.files.journal)
        size = journal.get("bytes")
        if journal.get("sha256") != self.files.model.sha256 or not isinstance(size, int):
            return 0
        return min(size, self.files.partial.stat().st_size)
