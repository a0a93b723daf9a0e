"""Where a served model is: NAME=URL[,model=ID] as people type it.

In: the text of --endpoint. Out: an Endpoint, or an EndpointError in one line. Connects to nothing.
"""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from ..base.errors import Refused


class EndpointError(Refused):
    """An --endpoint that cannot be called; one line."""


class Endpoint(NamedTuple):
    """Where a model is served. `path` ends in /v1 (or what stands before /chat/completions). The
    key is not part of it.
    """

    name: str
    scheme: str
    host: str
    port: int | None
    path: str
    model: str | None = None

    @property
    def url(self) -> str:
        """The base URL that is called."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}{self.path}"

    @property
    def local(self) -> bool:
        """On this machine: what is sent does not travel."""
        return (
            self.host in ("localhost", "::1")
            or re.fullmatch(r"127\.\d+\.\d+\.\d+", self.host) is not None
        )


def endpoint(text: str) -> Endpoint:
    """NAME=URL[,model=ID]. Raises EndpointError."""
    form = "as in --endpoint local=http://localhost:8000/v1,model=Qwen/Qwen2-VL-7B-Instruct"
    name, sign, rest = text.partition("=")
    name = name.strip()
    if not sign or not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,39}", name, re.ASCII):
        raise EndpointError(f"--endpoint {shown(text)}: no NAME=URL ({form})")
    where, comma, option = rest.strip().partition(",")
    key, _, model = option.partition("=")
    if comma and (key.strip() != "model" or not model.strip()):
        raise EndpointError(
            f"--endpoint {name}: after the URL only model=ID may follow, not {option[:40]!r}"
        )
    model = check_model(model.strip()) if comma else None
    bad = f"--endpoint {name}: {shown(where)} "
    if re.search(r"[^\x21-\x7e]", where) or "\\" in where:
        raise EndpointError(bad + "holds a space or a character that no URL may hold")
    try:
        parts = urlsplit(where)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise EndpointError(
            bad + "is no URL (check the port and the brackets of an IPv6 address)"
        ) from None
    if "@" in parts.netloc:
        raise EndpointError(
            f"--endpoint {name}: no user or key in the URL: keys come from the environment"
            f" (--key-env {name}=VARIABLE)"
        )
    if parts.scheme not in ("http", "https") or not host:
        raise EndpointError(bad + f"does not begin with http:// or https:// and a host ({form})")
    if parts.query or parts.fragment or "?" in where or "#" in where:
        raise EndpointError(
            f"--endpoint {name}: the URL may not have ? or # (keys come from the environment:"
            f" --key-env {name}=VARIABLE)"
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    given_whole = parts.path.rstrip("/").endswith("/chat/completions")
    return Endpoint(
        name,
        parts.scheme,
        host,
        port,
        path if given_whole or path.endswith("/v1") else path + "/v1",
        model,
    )


def check_model(model: str) -> str:
    """A model id that may be printed and stored. Raises EndpointError."""
    if not 0 < len(model) <= 200 or not model.isprintable():
        raise EndpointError(
            f"the model id {shown(model)} is empty, longer than 200 characters or not printable"
        )
    return model


def shown(text: str, limit: int = 80) -> str:
    """Foreign text quoted in an error: one line, clipped, without a key that stands before an @."""
    text = re.sub(r"//[^/@\s]*@", "//…@", text)
    return repr(text[:limit] + ("…" if len(text) > limit else ""))
