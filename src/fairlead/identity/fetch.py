"""Fetching an identity provider's documents with the process's own HTTP client."""

from fairlead.clock import Clock
from fairlead.errors import Upstream
from fairlead.identity.issuer_keys import PATIENCE, Fetch
from fairlead.net.http import Http, Patience

_MOST_BYTES = 1 << 20


def fetcher(http: Http, clock: Clock) -> Fetch:
    """A `Fetch` for `IssuerKeyRings`. Redirects are not followed: keys come from the address that was configured."""

    async def fetch(url: str) -> bytes:
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        patience = Patience(connect=PATIENCE / 2, first_byte=PATIENCE, idle=PATIENCE)
        try:
            async with await http.get(
                url, headers, deadline=clock.monotonic() + PATIENCE, patience=patience, subject=url
            ) as answer:
                if answer.status != 200:
                    raise Upstream(f"{url} answered with status {answer.status}")
                return await answer.read(_MOST_BYTES)
        except Upstream as error:
            if error.message.startswith(url):
                raise
            raise Upstream(f"{url} did not answer", why=error.why) from error

    return fetch
