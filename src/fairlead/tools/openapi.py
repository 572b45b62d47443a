"""The connector for services with an OpenAPI description, `use: openapi`.

Where a request goes is the workspace's to say: arguments fill places in it, and answers lead nowhere else.
"""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from fairlead.clock import Clock
from fairlead.errors import Upstream
from fairlead.net.addresses import pinned
from fairlead.net.http import Http, Patience
from fairlead.net.target import Target
from fairlead.tools.failures import ResultTooLarge, SystemFailed
from fairlead.tools.files import file_of
from fairlead.tools.openapi_answer import in_our_words, result_of
from fairlead.tools.openapi_operations import Operation, Operations
from fairlead.tools.openapi_pages import Page, gathered, next_arguments, next_path
from fairlead.tools.openapi_request import Request, request_of
from fairlead.tools.openapi_service import Described, check_settings, service_of
from fairlead.tools.settings import OpenApiSettings, PagesSettings
from fairlead.tools.systems import System
from fairlead.tools.types import Credential, Definition, SystemCall, ToolResult


def definitions_of(name: str, settings: OpenApiSettings, files: Mapping[str, bytes]) -> tuple[Definition, ...]:
    """The tools of the description that the system `name` gives. Raises `BadInput` where it, or what the workspace
    says of it, cannot be used. Operations that cannot be called are left out: `left_out` says why."""
    return tuple(each.definition for each in _read(name, settings, files).operations.by_name.values())


def left_out(name: str, settings: OpenApiSettings, files: Mapping[str, bytes]) -> Mapping[str, str]:
    """The operations of the description that are no tools, with the reason of each. Raises as `definitions_of`."""
    return _read(name, settings, files).operations.left_out


def _read(name: str, settings: OpenApiSettings, files: Mapping[str, bytes]) -> Described:
    key = f"systems.{name}"
    text = file_of(files, settings.description, f"{key}.description")
    service = service_of(text, settings.description, settings.url, settings.at_home, settings.plain_http, key)
    check_settings(settings, service.operations, key)
    return service


class OpenApiSystem:
    """Calls a service over connections of its own, to addresses that were judged when they were opened."""

    def __init__(self, system: System, http: Http, clock: Clock) -> None:
        """`http` is not used: that pool goes to models' servers, by names that the workspace vouches for."""
        settings = system.settings
        assert isinstance(settings, OpenApiSettings)
        self._name = system.name
        self._settings = settings
        self._clock = clock
        self._files = system.files
        self._url = ""
        self._operations: Operations | None = None
        self._opening = asyncio.Lock()
        self._http = Http(clock, reach=self._reach)
        self._patience = Patience(connect=5.0, first_byte=settings.timeout, idle=settings.timeout)

    async def definitions(self, credential: Credential, deadline: float) -> Sequence[Definition]:
        """The operations of the description, the same for everybody. Reads it at the first time; asks the service
        nothing."""
        return [each.definition for each in (await self._opened()).by_name.values()]

    async def call(self, call: SystemCall) -> ToolResult:
        """Raises `Upstream` as a system does, and `BadInput` for arguments that would leave their place."""
        operation = (await self._opened()).by_name.get(call.tool.name)
        if operation is None:
            raise SystemFailed(f"{self._name} has no operation {call.tool.name} any more", retryable=False)
        request = request_of(operation, call, self._settings.header)
        pages = self._settings.pages.get(call.tool.name)
        try:
            if pages is not None:
                return await self._gather(operation, pages, request, call)
            return (await self._page(request, call)).result
        except Upstream as error:
            if error.subject == self._name:
                raise
            raise in_our_words(error, call, self._name) from error

    async def close(self) -> None:
        await self._http.close()

    async def _opened(self) -> Operations:
        """The operations: read when they are first needed, and beside the loop, because descriptions can be large."""
        async with self._opening:
            if self._operations is not None:
                return self._operations
            service = await asyncio.to_thread(_read, self._name, self._settings, self._files)
            await self._http.open()
            self._url, self._operations = service.url, service.operations
            return service.operations

    async def _page(self, request: Request, call: SystemCall) -> Page:
        async with await self._http.ask(
            request.method,
            self._url + request.path,
            request.headers,
            request.body,
            deadline=call.deadline,
            patience=self._patience,
            subject="",  # so that what the connection tells is known from what the service does
        ) as answer:
            return Page(await result_of(answer, call, self._name, self._clock), answer.headers.get("link", ""))

    async def _gather(
        self, operation: Operation, pages: PagesSettings, request: Request, call: SystemCall
    ) -> ToolResult:
        """One page after the other, within the bytes and the deadline of the one call."""
        found: list[Page] = []
        left = call.most_bytes
        while True:
            page = await self._page(request, msgspec.structs.replace(call, most_bytes=left))
            if page.result.failed or page.result.structured is None:
                return page.result
            found.append(page)
            left -= len(msgspec.json.encode(page.result.structured))
            following = self._following(operation, pages, page, request, call)
            if following is None or len(found) >= pages.most:
                return gathered(pages, found, has_more=following is not None)
            if left <= 0 or following.path == request.path:
                raise ResultTooLarge(
                    f"the pages of {self._name}.{call.tool.name} do not end",
                    why=f"they are more than {call.most_bytes} bytes, or one names itself as the next",
                    mend="ask for less, or lower `most` of its `pages:`",
                    subject=self._name,
                    retryable=False,
                )
            request = following

    def _following(
        self, operation: Operation, pages: PagesSettings, page: Page, request: Request, call: SystemCall
    ) -> Request | None:
        if pages.cursor:
            arguments = next_arguments(pages, page, call, self._name)
            if arguments is None:
                return None
            return request_of(operation, msgspec.structs.replace(call, arguments=arguments), self._settings.header)
        path = next_path(page, self._url, self._url + request.path, self._name)
        return None if path is None else msgspec.structs.replace(request, path=path)

    async def _reach(self, target: Target) -> str:
        return await pinned(target, inside=self._settings.at_home)
