"""Hugging Face: its router in OpenAI's format, or an endpoint in the older one."""

from __future__ import annotations

from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.infrastructure.llm.wire.address import tidy
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import HUGGINGFACE
from faultmaven.infrastructure.llm.wire.tgi_generate import TgiGenerate, endpoint_route
from faultmaven.infrastructure.llm.wire.types import Codec, Listing

_ROUTER = OpenAIChat(HUGGINGFACE)
_OPENAI_SHAPED = ("/v1", "/chat/completions")


class HuggingFaceProvider(HTTPProvider):
    """Hugging Face; a base URL that does not end in ``/v1`` is an endpoint of the older kind.

    The older kind is a dedicated Inference Endpoint, or ``…/models``, where the model's name
    becomes part of the address.
    """

    codec: Codec = _ROUTER

    def __init__(self, config: ProviderConfig, *, transport: Transport | None = None) -> None:
        super().__init__(config, transport=transport)
        if not tidy(config.base_url).endswith(_OPENAI_SHAPED):
            self.codec = TgiGenerate(route=endpoint_route, grammars=False)

    async def _look(self, model: str, timeout: float) -> tuple[Listing, ...]:  # noqa: ASYNC109 - passed on
        """An endpoint has a free call only where TGI runs behind it."""
        if self.codec is _ROUTER:
            return await super()._look(model, timeout)
        return await self._look_if_listed(self.codec, model, timeout)

    def listed_name(self, model: str) -> str:
        """The model's name without the router's choice of a provider (``:fastest`` and kin)."""
        return model.partition(":")[0]
