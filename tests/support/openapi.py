"""Check requests, answers and callbacks against a provider's OpenAPI file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from starlette.datastructures import Headers, ImmutableMultiDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

_FILES = Path(__file__).parent.parent / "contract"

SUNOAPI = "sunoapi.org"
KIE = "kie.ai-legacy"
KIE_JOBS = "kie.ai-jobs"


@dataclass
class OpenApiRequest:
    """A request in openapi-core's terms, addressed to the service's public host."""

    path: str
    method: str
    body: bytes
    content_type: str
    parameters: RequestParameters
    host_url: str


@dataclass(frozen=True)
class OpenApiResponse:
    """An answer in openapi-core's terms."""

    status_code: int
    content_type: str
    data: bytes
    headers: Mapping[str, Any]


@dataclass(frozen=True)
class Contract:
    """The provider's OpenAPI file.

    `callback` is the same with the callback as a path of its own.
    """

    host_url: str
    api: OpenAPI
    callback: OpenAPI

    def check(self, response: httpx.Response) -> None:
        """Raise OpenAPIError if the answer is not as documented."""
        got = OpenApiResponse(
            status_code=response.status_code,
            content_type=response.headers["Content-Type"],
            data=response.content,
            headers=dict(response.headers),
        )
        self.api.validate_response(self._convert(response.request), got)

    def check_request(self, request: httpx.Request) -> None:
        """Raise OpenAPIError if the request is not as documented."""
        self.api.validate_request(self._convert(request))

    def check_callback(self, body: bytes) -> None:
        sent = OpenApiRequest(
            path="/callback",
            method="post",
            body=body,
            content_type="application/json",
            parameters=RequestParameters(),
            host_url=self.host_url,
        )
        self.callback.validate_request(sent)

    def _convert(self, request: httpx.Request) -> OpenApiRequest:
        return OpenApiRequest(
            # The sandbox has the contracts of two hosts at one address.
            path=request.url.path.removeprefix("/kie"),
            method=request.method.lower(),
            body=request.content,
            content_type=request.headers.get("Content-Type", ""),
            parameters=RequestParameters(
                query=ImmutableMultiDict(request.url.params.multi_items()), header=Headers(request.headers)
            ),
            host_url=self.host_url,
        )


@cache
def load_contract(name: str = SUNOAPI) -> Contract:
    document = yaml.safe_load((_FILES / f"{name}.openapi.yaml").read_text(encoding="utf-8"))
    _allow_nulls(document)
    callbacks = [
        callback
        for path in document["paths"].values()
        for named in path.get("post", {}).get("callbacks", {}).values()
        for callback in named.values()
    ]
    paths = {"/callback": callbacks[0]} if callbacks else {}
    return Contract(
        host_url=document["servers"][0]["url"],
        api=OpenAPI.from_dict(document),
        callback=OpenAPI.from_dict(document | {"paths": paths, "security": []}),
    )


def _allow_nulls(node: object) -> None:
    """Add null to nullable enums. OpenAPI 3.0.3 needs that, and kie's example has it."""
    if isinstance(node, dict):
        if node.get("nullable") is True and "enum" in node:
            node["enum"] = [*node["enum"], None]
        for inner in node.values():
            _allow_nulls(inner)
    elif isinstance(node, list):
        for inner in node:
            _allow_nulls(inner)
