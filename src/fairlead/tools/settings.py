"""What a workspace says about systems: `systems:` in fairlead.yaml."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from fairlead.labels import ClassName
from fairlead.tools.grant_settings import GrantSettings
from fairlead.tools.offers import Offer
from fairlead.tools.talk import Passing
from fairlead.tools.types import Effect


class ExchangeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token of the caller's own for this system, by exchange of the one they came with (RFC 8693)."""

    token_url: Annotated[str, Meta(description="Where the identity provider exchanges tokens.")]
    client: Annotated[str, Meta(description="As which client Fairlead asks.")]
    secret: Annotated[str, Meta(description="The client's secret: `env:NAME`.")]
    audience: Annotated[str, Meta(description="For which service the new token is meant.")] = ""
    resource: Annotated[str, Meta(description="The service's own address, where the provider wants that.")] = ""
    scope: Annotated[str, Meta(description="What the new token may be used for.")] = ""


class LoginSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The person's own account in a database. PostgreSQL then decides by its own rights and row policies."""

    role: Annotated[str, Meta(description="The account's name; `{person}` stands for who calls.")] = "{person}"
    secrets: Annotated[str, Meta(description="Passwords by account: `env:NAME` of a JSON object.")]


class CertificateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A certificate for the person's own account in a PostgreSQL database, issued here and ending soon.

    In both names `{person}` stands for who calls, as records know them, and `{subject}` for the same without the
    identity provider's name before it.
    """

    ca: Annotated[str, Meta(description="The authority's certificate and private key as PEM: `env:NAME`, `file:PATH`.")]
    valid: Annotated[str, Meta(pattern="^[1-9][0-9]{0,2}[mh]$", description="For how long one counts: 1m to 24h.")] = (
        "10m"
    )
    role: Annotated[str, Meta(description="The account to log in to. Holds `{person}` or `{subject}`.")] = "{person}"
    common_name: Annotated[
        str, Meta(description="Whom the certificate names. Holds `{person}`, so that no two people share one.")
    ] = "{person}"


class ServiceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account of Fairlead's own. What it may do is then up to policies alone, and every record says so."""

    secret: Annotated[str, Meta(description="The account's token or password: `env:NAME`.")]
    user: Annotated[str, Meta(description="The account's name, where it has one.")] = ""
    shared: Annotated[
        Literal[True], Meta(description="Must be true: the system cannot tell people apart who come by this account.")
    ]


class CredentialSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`credential:` of a system: by what it knows the caller. The first that this caller has is used, in this order."""

    exchange: ExchangeSettings | None = None
    grant: GrantSettings | None = None
    certificate: CertificateSettings | None = None
    login: LoginSettings | None = None
    service: ServiceSettings | None = None


class SystemSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="use"):
    """What every system may say, however it is spoken to."""

    credential: CredentialSettings = CredentialSettings()
    only: Annotated[
        tuple[str, ...], Meta(description="The tools that are offered, as names or patterns such as `read_*`.")
    ] = ("*",)
    data_class: Annotated[ClassName, Meta(description="The class of what it gives back.")] = "internal"
    trusted: Annotated[
        bool,
        Meta(description="Whether nobody outside can write into it. What comes from others is never trusted."),
    ] = False
    directory: Annotated[
        tuple[str, ...],
        Meta(
            description="Tools, as names or patterns, that tell who belongs to the house and that nobody outside can "
            "write into. Whom they name may be written to: see `context.decided_by_others`."
        ),
    ] = ()
    effects: Annotated[
        dict[str, Effect], Meta(description="`read` or `write`, by tool, where the system does not say it or lies.")
    ] = {}
    price: Annotated[float, Meta(ge=0, description="What a call costs, in the workspace's currency.")] = 0
    timeout: Annotated[float, Meta(gt=0, le=3600, description="Seconds for one call.")] = 30
    most_bytes: Annotated[int, Meta(ge=256, le=64 << 20, description="The greatest result that is taken.")] = 1 << 20
    at_once: Annotated[int, Meta(ge=1, le=1000, description="The most calls at once from one worker.")] = 16
    files: Annotated[
        tuple[str, ...],
        Meta(description="The types of images, sounds and files that may stand in a result; `*` takes all."),
    ] = ("image/*", "audio/*", "text/*", "application/pdf", "application/json")
    most_file: Annotated[
        int, Meta(ge=0, le=64 << 20, description="The greatest image, sound or file in a result, in bytes.")
    ] = 4 << 20


class McpSettings(SystemSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="mcp"):
    """A server that speaks the Model Context Protocol: one at a URL, or a program that is started."""

    url: Annotated[str, Meta(description="Where it answers over streamable HTTP.")] = ""
    command: Annotated[list[str], Meta(description="The program and its arguments, spoken to over stdio.")] = []
    env: Annotated[
        dict[str, str], Meta(description="The program's environment; `env:NAME` takes a value from this machine's.")
    ] = {}
    at_home: Annotated[bool, Meta(description="Whether it may be inside a private network.")] = False
    plain_http: Annotated[bool, Meta(description="Whether its network is trusted, so that `http` will do.")] = False
    offers: Annotated[
        tuple[Offer, ...], Meta(description="What of it is offered beside its tools, each under rights of its own.")
    ] = ()
    passes: Annotated[
        tuple[Passing, ...],
        Meta(description="What goes on between it and the caller's own program during a call: see the how-to page."),
    ] = ()


class PagesSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a list goes on that comes in pages. Without `cursor` the next page is where the header `Link` says, which
    must be at the same service."""

    items: Annotated[str, Meta(description="Where in a page its items stand, as in `data.orders`. Default: all.")] = ""
    cursor: Annotated[
        str, Meta(description="Where in a page the next one's mark stands, as in `meta.next`. The last has none.")
    ] = ""
    argument: Annotated[str, Meta(description="The argument that takes the mark. Needed with `cursor`.")] = ""
    most: Annotated[int, Meta(ge=1, le=100, description="The most pages of one call.")] = 10


class OpenApiSettings(SystemSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="openapi"):
    """A service with an OpenAPI description (3.0 or 3.1)."""

    description: Annotated[str, Meta(description="The description: a file of the workspace under `systems/`.")]
    url: Annotated[str, Meta(description="Where the service answers. Default: the description's first server.")] = ""
    header: Annotated[
        str, Meta(description="The header that carries the credential, where it is not `authorization`.")
    ] = ""
    pages: Annotated[
        dict[str, PagesSettings], Meta(description="Tools whose lists come in pages, which one call then gathers.")
    ] = {}
    at_home: Annotated[bool, Meta(description="Whether it may be inside a private network.")] = False
    plain_http: Annotated[bool, Meta(description="Whether its network is trusted, so that `http` will do.")] = False


class QuerySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A declared query, which is a tool: either `sql` or `insert`. Its parameters are bound and never become SQL."""

    sql: Annotated[
        str,
        Meta(
            description="One statement; `:name` stands for a parameter, `:person` for who calls, `:once` for the key "
            "of the call, which is the same for every try of it."
        ),
    ] = ""
    insert: Annotated[
        str, Meta(description="A table of the system's `mapping` that gets one row: a column for each parameter.")
    ] = ""
    about: Annotated[str, Meta(description="What it is for: models read this.")] = ""
    parameters: Annotated[
        dict[str, dict[str, Any]], Meta(description="The JSON Schema of each parameter. Default: text.")
    ] = {}
    effect: Annotated[Effect, Meta(description="Whether it only reads.")] = "read"
    idempotent: Annotated[
        bool, Meta(description="Of a write: whether doing it again with the same arguments changes nothing more.")
    ] = False


class SqlSettings(SystemSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="sql"):
    """A database: declared queries, and, where it is asked for, SELECT statements that a model writes."""

    url: Annotated[str, Meta(description="`postgresql://HOST/DATABASE` without an account, or `sqlite:FILE`.")]
    queries: Annotated[dict[str, QuerySettings], Meta(description="Declared queries, by name.")] = {}
    mapping: Annotated[
        str,
        Meta(
            description="A file of the workspace under `systems/`, as in `NAME.mapping.yaml`, that says what the "
            "tables and columns of the queries are called in this database."
        ),
    ] = ""
    tables: Annotated[
        list[str], Meta(description="Tables that statements written by a model may read. Default: no such statements.")
    ] = []
    functions: Annotated[
        list[str], Meta(description="Functions they may call beside the usual ones: `schema.name`, or a built-in one.")
    ] = []
    most_rows: Annotated[int, Meta(ge=1, le=100_000, description="The most rows of a result.")] = 1000


class PythonSettings(SystemSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="python"):
    """Functions with type hints: each public one of the module is a tool."""

    file: Annotated[str, Meta(description="A file of the workspace under `systems/`, published with it.")]


class DecidedSettings(SystemSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="decided"):
    """No system of a workspace's own: the tools by which people let texts have a lower class."""


class MemorySystemSettings(SystemSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="memory"):
    """No system of a workspace's own: the tools by which something is remembered for later runs."""


AnySystem = McpSettings | OpenApiSettings | SqlSettings | PythonSettings
