"""A pytest plugin: points llama.cpp's own server tests at a server that runs already.

They speak to `/chat/completions` and leave `model` out, since their server has but one. Whatever the server, all get
`/v1/chat/completions` instead, with a model. Tests of what only that program has (slots, props, its own fields) are
left as they are: they fail against everybody else.
"""

import os
from typing import Any
from urllib.parse import urlsplit

_URL = urlsplit(os.environ["INTEROP_URL"])
os.environ["DEBUG_EXTERNAL"] = "1"
os.environ["PORT"] = str(_URL.port)
_PATHS = ("/chat/completions", "/responses", "/embeddings", "/models", "/completions")


def _path(path: str) -> str:
    return f"/v1{path}" if path.startswith(_PATHS) else path


def pytest_configure(config: Any) -> None:
    """The tests' own folder is on the path by now."""
    import utils  # llama.cpp's

    process: Any = utils.ServerProcess
    whole, streamed = process.make_request, process.make_stream_request

    def with_model(path: str, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("model") is not None:
            return data
        return {**data, "model": os.environ["INTEROP_VECTORS" if "embeddings" in path else "INTEROP_MODEL"]}

    def make_request(self: Any, method: str, path: str, data: Any = None, *rest: Any, **more: Any) -> Any:
        return whole(self, method, _path(path), with_model(path, data), *rest, **more)

    def make_stream_request(self: Any, method: str, path: str, data: Any = None, *rest: Any, **more: Any) -> Any:
        return streamed(self, method, _path(path), with_model(path, data), *rest, **more)

    process.make_request, process.make_stream_request = make_request, make_stream_request
