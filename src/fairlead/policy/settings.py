"""What a workspace may say about policy in YAML: lean rules, detectors, facts and classes. Cedar files need no YAML."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from fairlead.labels import ClassName
from fairlead.models.door_names import DoorName
from fairlead.policy.declassify_settings import AnyDeclassification

Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$", description="Lower-case letters, digits and underscores.")]
Strings = tuple[str, ...]
Mode = Annotated[
    Literal["shadow", "warn", "enforce"],
    Meta(
        description="shadow: evaluated and counted, and nobody sees it; warn: the answer goes out with a warning; "
        "enforce: it holds."
    ),
]


class Scope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a rule holds. Every key that is given must fit; one that is left out fits always."""

    mode: Mode = "enforce"
    tasks: Annotated[Strings, Meta(description="Only for these task types.")] = ()
    doors: Annotated[tuple[DoorName, ...], Meta(description="Only by these doors.")] = ()
    labels: Annotated[Strings, Meta(description="Only where the request has one of these categories.")] = ()
    groups: Annotated[Strings, Meta(description="Only for members of any of these groups.")] = ()
    departments: Annotated[Strings, Meta(description="Only for callers of any of these departments.")] = ()
    persons: Annotated[Strings, Meta(description="Only for these persons or services.")] = ()


class Allow(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may call which models. Who: anyone named by any of the lists; everyone when all of them are empty."""

    groups: Annotated[Strings, Meta(description="Members of any of these groups.")] = ()
    departments: Annotated[Strings, Meta(description="Callers of any of these departments.")] = ()
    persons: Annotated[Strings, Meta(description="These persons or services, by their stable name.")] = ()
    models: Annotated[Strings, Meta(description="Names of models; empty for all models.")] = ()


class Start(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may begin which workflows. Who: anyone named by any of the lists; everyone when all of them are empty."""

    groups: Annotated[Strings, Meta(description="Members of any of these groups.")] = ()
    departments: Annotated[Strings, Meta(description="Callers of any of these departments.")] = ()
    persons: Annotated[Strings, Meta(description="These persons or services, by their stable name.")] = ()
    workflows: Annotated[Strings, Meta(description="Names of workflows; empty for all of them.")] = ()


class Rule(Scope, frozen=True, forbid_unknown_fields=True, rename={"audience": "for"}):
    """One lean rule of `rules:` in fairlead.yaml. It does exactly one thing; `for` belongs to `redact` and
    `pseudonymise`.

    `mode` and whom it is for do not belong to `allow` and `start`, which say themselves for whom they are.
    """

    redact: Annotated[Strings, Meta(description="Take these categories out of the text before it is sent.")] = ()
    pseudonymise: Annotated[
        Strings,
        Meta(
            description="Put a pseudonym into the place of each value of these categories before it is sent, the same "
            "throughout a conversation, and the value back into the reply."
        ),
    ] = ()
    keep_local: Annotated[Strings, Meta(description="Texts with these categories never go to a cloud model.")] = ()
    refuse: Annotated[Strings, Meta(description="Texts with these categories go to no model at all.")] = ()
    withhold: Annotated[Strings, Meta(description="Replies with these categories are not released.")] = ()
    allow: Annotated[Allow | None, Meta(description="Permit calls; any such rule replaces the general permit.")] = None
    start: Annotated[
        Start | None, Meta(description="Permit workflows to begin; any such rule replaces the general permit.")
    ] = None
    audience: Annotated[
        Literal["cloud", "any", "replies"],
        Meta(
            description="Where `redact` applies: calls to cloud models, to any model, or the replies (not with "
            "`pseudonymise`)."
        ),
    ] = "any"


class DetectorSetting(Struct, frozen=True, forbid_unknown_fields=True):
    """A detector of the workspace's own."""

    name: Annotated[Name, Meta(description="What findings are reported as.")]
    category: Annotated[Name, Meta(description="The category that policies read.")]
    pattern: Annotated[
        str,
        Meta(
            description="An RE2 pattern with an upper bound on every repetition: {1,40}, not * or +. A group named "
            "`value` narrows the finding to that part."
        ),
    ]
    checksum: Annotated[str, Meta(description="A check that what was found must pass: luhn, mod97, verhoeff, …")] = ""


class NamesSetting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """A register: names, or whatever else an organisation knows by heart, that stand in a file of `rules/`."""

    name: Annotated[Name, Meta(description="What it is called.")]
    file: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9_.-]+\.(csv|txt)$",
            description="The file in `rules/`: a `.txt` with one name a line, or a `.csv` with a head.",
        ),
    ]
    columns: Annotated[
        Strings,
        Meta(description="The columns that make up a name, the family's name last. Left out: the first column."),
    ] = ()
    source: Annotated[
        str,
        Meta(
            pattern=r"^$|^[^.\s]+\.\S+$",
            description="The tool, `SYSTEM.TOOL`, whose rows `fairlead names sync` writes into the file: a declared "
            "query of a database, say.",
        ),
    ] = ""
    arguments: Annotated[dict[str, Any], Meta(description="The arguments that it is called with.")] = {}
    category: Annotated[Name, Meta(description="The category that policies read.")] = "person_name"
    persons: Annotated[
        bool,
        Meta(
            description="Names of persons, which are also known by their parts and turned round. With false only what "
            "stands there counts: account numbers, projects, firms."
        ),
    ] = True


class FactSetting(Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """Something to read out of a reply, for policies: `context.facts.NAME`."""

    name: Annotated[Name, Meta(description="The name under `context.facts`.")]
    pattern: Annotated[
        str, Meta(description="A bounded RE2 pattern; its group `value` is the value (not needed for bool).")
    ]
    type: Annotated[
        Literal["decimal", "text", "bool"],
        Meta(description="decimal: four places; bool: true where the pattern occurs."),
    ] = "decimal"
    take: Annotated[Literal["max", "min", "first"], Meta(description="Which of several values counts.")] = "first"
    source: Annotated[Literal["reply"], Meta(description="Where it is read.")] = "reply"


class WordsSetting(Scope, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words, phrases and claims that are not used."""

    name: Annotated[Name, Meta(description="The rule's name, and the category by which Cedar may speak of it.")]
    never: Annotated[
        Strings,
        Meta(description="Words and phrases, in any case and spacing. A star ends a word that may have endings."),
    ] = ()
    patterns: Annotated[Strings, Meta(description="RE2 patterns, with an upper bound on every repetition.")] = ()
    then: Annotated[
        Literal["withhold", "redact", "replace"],
        Meta(description="Withhold the reply (refuse the request), black the words out, or say `instead`."),
    ] = "withhold"
    instead: Annotated[str, Meta(max_length=500, description="What is said in their place, with `then: replace`.")] = ""
    direction: Annotated[
        Literal["out", "in", "both"], Meta(description="Replies (out), requests with their context (in), or both.")
    ] = "out"
    reason: Annotated[str, Meta(description="What the caller is told.")] = ""


class RequireSetting(Scope, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text that replies must have: a disclaimer, for example."""

    name: Annotated[Name, Meta(description="The rule's name, and the category of a reply without it.")]
    text: Annotated[str, Meta(min_length=1, max_length=2000, description="What must be said, in any case and spacing.")]
    otherwise: Annotated[
        Literal["append", "withhold"],
        Meta(description="What becomes of a reply without it. To withhold one, the whole of it must be seen first."),
    ] = "append"
    reason: Annotated[str, Meta(description="What the caller is told.")] = ""


class GroundingSetting(Scope, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of a reply must rest on the pages that it was given. The whole reply is seen first."""

    name: Annotated[Name, Meta(description="The rule's name, and the category of a reply that rests on too little.")]
    share: Annotated[
        float, Meta(gt=0, le=1, description="The least share of its sentences that the pages must support.")
    ] = 0.7
    cited: Annotated[
        bool,
        Meta(
            description="Hold each sentence against the pages that it cites, and let none pass that they contradict: "
            "another number of the same unit, a denial, an opposite word."
        ),
    ] = False
    otherwise: Annotated[
        Literal["withhold", "caveat"],
        Meta(
            description="What becomes of a reply that rests on too little: withheld, or given with `caveat` below it."
        ),
    ] = "withhold"
    caveat: Annotated[
        str, Meta(min_length=1, max_length=2000, description="What is said below it, with `otherwise: caveat`.")
    ] = "Not all of this is borne out by the pages of the organisation that it cites: check it before you rely on it."
    reason: Annotated[str, Meta(description="What the caller is told.")] = ""


class JudgeSetting(Scope, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model of the workspace is asked of replies: tone, or whether they insult. Each reply costs a call more.

    A reply that does not pass is withheld; the whole of it must be seen first.
    """

    name: Annotated[Name, Meta(description="The rule's name, and the category of a reply that does not pass.")]
    model: Annotated[str, Meta(description="The model that judges, by its name in `models:`.")]
    ask: Annotated[
        str,
        Meta(min_length=1, max_length=4000, description="The question or rubric. Word it so that yes, or 10, is good."),
    ]
    at_least: (
        Annotated[
            int, Meta(ge=1, le=10, description="The score, of 0 to 10, that passes. Left out: the judge must say yes.")
        ]
        | None
    ) = None
    on_error: Annotated[
        Literal["withhold", "allow"],
        Meta(description="What becomes of a reply that could not be judged, for whatever reason."),
    ] = "withhold"
    reason: Annotated[str, Meta(description="What the caller is told.")] = ""


class RulesFile(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of `rules/`."""

    detectors: Annotated[tuple[DetectorSetting, ...], Meta(description="Detectors of the workspace's own.")] = ()
    names: Annotated[tuple[NamesSetting, ...], Meta(description="Registers of names, kept in files beside.")] = ()
    facts: Annotated[tuple[FactSetting, ...], Meta(description="What to read out of replies.")] = ()
    words: Annotated[tuple[WordsSetting, ...], Meta(description="Words and claims that are not used.")] = ()
    require: Annotated[tuple[RequireSetting, ...], Meta(description="Texts that replies must have.")] = ()
    grounding: Annotated[
        tuple[GroundingSetting, ...], Meta(description="How much of a reply must rest on the organisation's pages.")
    ] = ()
    judge: Annotated[tuple[JudgeSetting, ...], Meta(description="What a model is asked of replies.")] = ()
    declassify: Annotated[
        tuple[AnyDeclassification, ...],
        Meta(
            description="The only ways in which data gets a lower class, each a tool: tables of groups, and decisions."
        ),
    ] = ()
    classes: Annotated[
        dict[Name, ClassName], Meta(description="The data class that each category implies, over the defaults.")
    ] = {}
    without: Annotated[Strings, Meta(description="Names of built-in detectors to switch off.")] = ()
    also: Annotated[Strings, Meta(description="Names of built-in detectors to switch on that are off by default.")] = ()
