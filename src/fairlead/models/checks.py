"""What a model's settings come to, each checked by itself: its kind, its keys, its address, its placement."""

from collections.abc import Mapping

from fairlead.errors import BadInput
from fairlead.models.declared import CredentialSettings, ModelSettings, Secrets
from fairlead.models.schemes import SCHEMES, Scheme
from fairlead.models.secret import Secret
from fairlead.models.sigv4 import Credentials
from fairlead.models.types import AUTO, Placement
from fairlead.net.addresses import Address, checked_address
from fairlead.net.http import header_value


def name_of(name: str) -> str:
    """The name itself, once it is known to be one."""
    if not name or name == AUTO or not name.isascii() or not name.isprintable() or " " in name or len(name) > 100:
        raise BadInput(
            f"models.{name} is not a name that a model can have",
            why="`auto` stands for any model; other names are up to 100 visible ASCII characters without spaces",
            mend="choose another name",
        )
    return name


def scheme_of(name: str, asked: ModelSettings) -> tuple[str, Scheme, str]:
    """The kind of endpoint by name, what is true of it, and the vendor's name of the model."""
    scheme, _, remote = asked.use.partition("/")
    known = SCHEMES.get(scheme)
    if known is None or not remote:
        raise BadInput(
            f"models.{name}: `{asked.use}` does not say what to use",
            why=f"it starts with none of {', '.join(f'{each}/' for each in SCHEMES)} or names no model",
            mend=f"write for example `{name}: openai/gpt-5-mini`, or use `openai-compatible/MODEL` with a `url`",
        )
    if scheme == "local" and remote != "extractive":
        raise BadInput(f"models.{name}: `{asked.use}` does not exist", mend="the one local model is `local/extractive`")
    if not known.remote and (asked.url or asked.key):
        raise BadInput(f"models.{name} needs no `url` and no `key`", mend="leave them out")
    if asked.quirks is not None and not known.has_quirks:
        raise BadInput(f"models.{name}.quirks applies to OpenAI-compatible endpoints only", mend="leave `quirks` out")
    if known.signed != (asked.region is not None):
        raise BadInput(
            f"models.{name} {'needs a' if known.signed else 'has no'} `region`",
            why=f"`{scheme}` is {'reached in' if known.signed else 'not divided into'} regions",
            mend="write for example `region: eu-central-1`" if known.signed else "leave it out; see `placement`",
        )
    return scheme, known, remote


def credentials_of(name: str, asked: ModelSettings, secrets: Secrets) -> tuple[Credentials | None, str]:
    """Who signs, and why it is not known."""
    given, where = asked.credentials or CredentialSettings(), f"models.{name}.credentials"
    access, no_access = key_of(f"{where}.access_key", given.access_key, secrets)
    secret, no_secret = key_of(f"{where}.secret_key", given.secret_key, secrets)
    session, _ = key_of(f"{where}.session_token", given.session_token, secrets)
    if access is None or secret is None or asked.region is None:
        return None, no_access or no_secret
    return Credentials(access_key=access.reveal(), secret_key=secret, session=session, region=asked.region), ""


def key_of(where: str, reference: str | None, secrets: Secrets) -> tuple[Secret | None, str]:
    """The key, and why it is missing. `where` is the key of the workspace that names it."""
    if reference is None:
        return None, ""
    kind, _, place = reference.partition(":")
    if kind not in ("env", "file") or not place:
        raise BadInput(
            f"{where} must be a reference, not a key",
            why="the workspace's text is kept in git and shown to people",
            mend="put the key into an environment variable and write `key: env:NAME`, or `key: file:PATH`",
        )
    text = (secrets(reference) or "").strip()
    if not text:
        return None, f"no key: {place} is not set" if kind == "env" else f"no key: {place} is missing or empty"
    return Secret(header_value(text, name=f"{where} ({reference})")), ""


def address_of(name: str, asked: ModelSettings, defaults: Scheme) -> Address | None:
    """Where it is reached; None for what runs in this process."""
    if not defaults.remote:
        return None
    url = asked.url or url_of(defaults, asked)
    if url is None:
        raise BadInput(
            f"models.{name} needs a `url`",
            why="`openai-compatible` can be any server",
            mend="write for example `url: http://127.0.0.1:8000/v1`",
        )
    at_home = asked.placement is not None and asked.placement.kind in ("on_prem", "device")
    return checked_address(url, key=f"models.{name}.url", at_home=at_home, plain_http=asked.plain_http)


def url_of(defaults: Scheme, asked: ModelSettings) -> str | None:
    """The address that goes without saying, None where there is none."""
    return defaults.url.replace("REGION", asked.region or "") if defaults.url is not None else None


def placement_of(defaults: Scheme, address: Address | None, region: str) -> Placement:
    """Where a model runs if nobody said so: on this machine only if its address is; else the worst is assumed."""
    if address is None:
        return Placement(kind="device", vendor=defaults.vendor, retention_days=0)
    if address.is_loopback:
        return Placement(kind="device", vendor=defaults.vendor or "self-hosted", retention_days=0)
    return Placement(kind="cloud", region=region, vendor=defaults.vendor or address.host)


def headers_of(name: str, headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """The headers that a workspace gives for a model, in small letters. Raises `BadInput` for a name or value that
    HTTP does not know, or that Fairlead itself sets."""
    for header, value in headers.items():
        where = f"models.{name}.headers.{header}"
        if not header.replace("-", "").isalnum() or not header.isascii():
            raise BadInput(f"{where} is not a header's name", mend="use letters, digits and hyphens")
        if header.lower() in _OWN_HEADERS:
            raise BadInput(f"{where} cannot be set", why="Fairlead sets it", mend="leave it out; give keys by `key:`")
        header_value(value, name=where)
    return [(header.lower(), value) for header, value in headers.items()]


_OWN_HEADERS = frozenset(
    (
        "authorization", "api-key", "x-api-key", "x-goog-api-key", "x-amz-date", "x-amz-security-token",
        "host", "content-length", "transfer-encoding", "connection", "content-type", "accept-encoding",
        "idempotency-key", "x-request-id", "cookie", "expect", "te", "upgrade",
    )
)  # fmt: skip
