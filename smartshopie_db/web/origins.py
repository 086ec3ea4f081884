"""Which other sites' scripts may read /api: those that SMARTSHOPIE_ORIGINS names."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from .settings import Settings


def allow(blueprint: Blueprint, settings: Settings) -> None:
    """Reading alone, without cookies or tokens; nothing at all unless configured."""
    if not settings.origins:
        return
    cors(settings)(
        blueprint,
        origins=list(settings.origins),
        methods=["GET", "HEAD", "OPTIONS"],
        allow_headers=["Accept", "If-None-Match"],
        expose_headers=["ETag"],
        supports_credentials=False,
        max_age=600,
    )
    blueprint.after_request(add_vary)


def add_vary(response: Response) -> Response:
    """Flask-Cors leaves it out where there is one origin; but then, too, a browser may
    have the answer that was given without one."""
    response.vary.add("Origin")
    return response


def cors(settings: Settings) -> Any:
    try:
        from flask_cors import CORS
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "SMARTSHOPIE_ORIGINS needs flask-cors: pip install 'smartshopie_db[web]'",
            name=error.name,
        ) from None
    return CORS
