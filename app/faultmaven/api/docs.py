"""GET /docs: the interactive documentation, served whole from this machine.

The framework's own page loads its scripts from a public network, which a gateway behind a
firewall may not reach, and which would see who reads it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

_ASSETS = "/docs/assets"
_NAMES = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")


def install_docs(app: FastAPI) -> None:
    """Serve the documentation of ``app`` at ``/docs``."""
    folder = _folder_of_assets()

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        root = request.scope.get("root_path", "").rstrip("/")
        script, style, icon = (f"{root}{_ASSETS}/{name}" for name in _NAMES)
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=script,
            swagger_css_url=style,
            swagger_favicon_url=icon,
            # Otherwise the page sends the description to a public validator.
            swagger_ui_parameters={"validatorUrl": None},
        )

    @app.get(f"{_ASSETS}/{{name}}", include_in_schema=False)
    async def asset(name: str) -> Response:
        if name not in _NAMES:
            raise HTTPException(404)
        return FileResponse(folder / name)


def _folder_of_assets() -> Path:
    """Where the package with the page's scripts keeps them; the package is not imported."""
    package = importlib.util.find_spec("fastapi_offline")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("fastapi-offline is a dependency of this project")
    return Path(package.origin).parent / "static"
