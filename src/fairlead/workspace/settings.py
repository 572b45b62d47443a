"""fairlead.yaml as a whole: each package's part under its key, and what belongs to the deployment itself."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from fairlead.context.settings import ContextSettings
from fairlead.controls.settings import AlarmSettings
from fairlead.costs.report_settings import BillsSettings, ForecastSettings, ValueSettings
from fairlead.costs.settings import BudgetsSettings, PriceSettings
from fairlead.identity.key_settings import KeySettings
from fairlead.identity.settings import AgentSettings, IdentitySettings
from fairlead.lanes import LanesSettings
from fairlead.lanes.rate_settings import LimitsSettings
from fairlead.learning.settings import OutcomesSettings
from fairlead.models.settings import ModelSettings
from fairlead.policy import PolicyCase, Rule
from fairlead.policy.approval_settings import ApprovalSettings
from fairlead.routing.settings import AimSettings, BreakerSettings, RetrySettings, RoutingSettings
from fairlead.storage.settings import (
    AuditSettings,
    FlowSettings,
    MasterKeySettings,
    MemorySettings,
    RetentionSettings,
    SessionSettings,
    StorageSettings,
)
from fairlead.tools.settings import AnySystem
from fairlead.workflows.settings import WorkflowsSettings
from fairlead.workspace.listening import ProxySettings, TlsSettings

Tokens = Annotated[int, Meta(ge=1, le=10_000_000)]


class DeclaredKeySettings(KeySettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `keys:`. The person who acts with it is the key's own name unless the key says otherwise."""

    person: Annotated[str, Meta(description="Who acts with this key. Default: the key's name.")] = ""

    def named(self, name: str) -> KeySettings:
        """As identity takes it, under the name that the key has here."""
        return msgspec.structs.replace(self, person=self.person or name)


class DefaultsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`defaults:`: what applies where neither the request nor its task type says otherwise."""

    task: Annotated[
        str, Meta(description="Task type of a request that is like none of the declared ones. Default: a plain one.")
    ] = ""
    recognise: Annotated[
        Literal["words", "meaning"],
        Meta(
            description="How a request is recognised as a declared kind of work, from the examples: by their words; or "
            "by their meaning, with a small model in Fairlead's own process (the extra `embeddings` and its weights)."
        ),
    ] = "words"
    max_output: Annotated[Tokens, Meta(description="The most tokens of a reply. Always sent to the model.")] = 1024
    deadline: Annotated[
        float, Meta(gt=0, le=86_400, description="Seconds after which an action is given up, all attempts together.")
    ] = 120.0
    context: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=10_000_000,
                description="Tokens of context for requests of no declared type; 0 for none. Default: 1500 where there "
                "are pages in context/.",
            ),
        ]
        | None
    ) = None


class PolicyTestsFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """policies/tests.yaml: what the policies are meant to decide. A case that comes out otherwise stops a publish."""

    tests: Annotated[list[PolicyCase], Meta(description="The cases.")] = []


class ServerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`server:`: how `fairlead serve` listens, and how much each of its processes takes on."""

    host: Annotated[
        str,
        Meta(
            min_length=1,
            description="Address to listen on; 0.0.0.0 for all of the machine's. Others than this machine's own need "
            "`tls` or `proxy`.",
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535, description="Port to listen on; 0 for any free one.")] = 8700
    tls: TlsSettings | None = None
    proxy: ProxySettings | None = None
    workers: Annotated[int, Meta(ge=1, le=256, description="Processes that answer.")] = 1
    max_body: Annotated[int, Meta(ge=1024, le=1 << 30, description="The most bytes of a request's body.")] = 10 << 20
    max_connections: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="The most open connections of a process. One more is answered with 503."),
    ] = 4096
    max_requests: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="The most requests under way in a process. One more is answered with 503 and `retry-after`.",
        ),
    ] = 2048
    receive_timeout: Annotated[
        float,
        Meta(
            gt=0, le=3600, description="Seconds for a request to arrive, head and body, on a connection that is open."
        ),
    ] = 30.0
    send_timeout: Annotated[
        float,
        Meta(
            gt=0,
            le=3600,
            description="Seconds for a client to take some of what waits for it; then its connection and run end.",
        ),
    ] = 60.0
    idle_timeout: Annotated[
        int,
        Meta(
            ge=1,
            le=3600,
            description="Seconds that a connection may idle after a reply. A load balancer in front should have less, "
            "so that it closes first.",
        ),
    ] = 65
    drain: Annotated[
        float, Meta(gt=0, le=3600, description="Seconds that running requests get when the server is stopped.")
    ] = 30.0


class WorkspaceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """fairlead.yaml. Only `organisation` and `models` are needed; every other part may be added later by itself."""

    organisation: Annotated[str, Meta(min_length=1, max_length=100, description="The organisation's name.")]
    models: Annotated[
        dict[str, str | ModelSettings],
        Meta(
            min_length=1, description="Models by the name that this workspace gives them: `vendor/model`, or in full."
        ),
    ]
    prefer: Annotated[
        list[str], Meta(description="Models in the order they are tried, after the task type's own `prefer`.")
    ] = []
    fallback: Annotated[
        bool | list[str],
        Meta(
            description="What may answer instead of a model that a request names: false, nothing; true, every "
            "permitted model in the usual order; a list, these models in this order."
        ),
    ] = False
    retries: RetrySettings = RetrySettings()
    breaker: BreakerSettings = BreakerSettings()
    routing: AimSettings = AimSettings()
    rules: Annotated[list[Rule], Meta(description="Lean rules; Cedar files in policies/ say more.")] = []
    identity: IdentitySettings = IdentitySettings()
    keys: Annotated[
        dict[str, DeclaredKeySettings], Meta(description="Keys of callers that come with the workspace, by name.")
    ] = {}
    agents: Annotated[
        dict[str, AgentSettings], Meta(description="Programs that act for people, as keys and tokens name them.")
    ] = {}
    budgets: BudgetsSettings = BudgetsSettings()
    forecast: ForecastSettings = ForecastSettings()
    prices: Annotated[
        dict[str, PriceSettings],
        Meta(description="Prices per million tokens by model, over the bundled price list."),
    ] = {}
    context: ContextSettings = ContextSettings()
    defaults: DefaultsSettings = DefaultsSettings()
    payloads: Annotated[
        Literal["keep", "none"],
        Meta(
            description="`keep`: requests and replies are kept, encrypted per person. `none`: they are never written."
        ),
    ] = "keep"
    systems: Annotated[
        dict[str, AnySystem], Meta(description="Systems of record by name, whose tools callers may use.")
    ] = {}
    alarms: Annotated[dict[str, AlarmSettings], Meta(description="Webhooks that controls call, by name.")] = {}
    approvals: ApprovalSettings = ApprovalSettings()
    sessions: SessionSettings = SessionSettings()
    flows: FlowSettings = FlowSettings()
    memory: MemorySettings | None = None
    workflows: WorkflowsSettings = WorkflowsSettings()
    master_key: MasterKeySettings | None = None
    retention: RetentionSettings = RetentionSettings()
    audit: AuditSettings = AuditSettings()
    storage: StorageSettings = StorageSettings()
    lanes: LanesSettings = LanesSettings()
    outcomes: OutcomesSettings = OutcomesSettings()
    limits: LimitsSettings = LimitsSettings()
    server: ServerSettings = ServerSettings()
    value: ValueSettings = ValueSettings()
    bills: BillsSettings = BillsSettings()

    @property
    def routes(self) -> RoutingSettings:
        """The keys that routing owns: those that every workspace may want stand at the top, so that a small one stays
        small."""
        return RoutingSettings(
            prefer=self.prefer, fallback=self.fallback, retries=self.retries, breaker=self.breaker, aims=self.routing
        )
