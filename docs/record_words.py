"""What the fields of a record mean, and the words that stand in them."""

from typing import Final

from fairlead.labels import DataClass

# What the fields of a record mean. A field that is missing here stops the generation.
FIELDS: Final = {
    "about": "Of a deed: what it did, in words or numbers; of `signing_key` the signed statement itself.",
    "agent": "The program that acted for the person, where the credential names one.",
    "approvals": "Ids of the approvals that a tool's call rests on.",
    "arguments": "Of a tool's call: SHA-256 (hex) of its name and exact arguments; never the arguments themselves.",
    "at": "When the action began, or a refusal was recorded: milliseconds since 1970, UTC.",
    "attempt": "Which attempt of the run, from 1; absent where none was made. `RUN.ATTEMPT` is its idempotency key.",
    "categories": "What detectors found in the request and its context.",
    "checks": "Where an answer had to pass checks to be kept (`cascade`): each that was made, `passed` or `failed`, "
    "and a word or a figure that says why: the keyword of a schema, a share, the names of rules, an error's code.",
    "citations": "Sections of context that were put before the model: `item@version#section`. A section keeps its name "
    "when its page moves, is renamed or is reformatted.",
    "cost": "What this row is billed, in nano-units (10⁹ to one unit of the currency).",
    "credential": "By which credential the caller was known; never the credential itself.",
    "data_class": "The highest data class of the text: " + ", ".join(f"`{each.name}`" for each in DataClass) + ".",
    "declassified": "By which rule a table of groups got a lower class: rule and digest, from and to, the days, how "
    "many groups were told of and left out.",
    "decision": "What the choice of the model was made from, where an `objective` decided: that objective, and of each "
    "candidate, the best first, what was expected of it: score (`p`, and `low` to `high`, which hold it four times in "
    "five) in ten-thousandths, cost in nano-units, latency in milliseconds, and on how many outcomes that rests "
    "(`seen`). `fairlead routing audit` makes the choice again from it.",
    "definition": "Of a tool's call: SHA-256 (hex) of the definition that was accepted.",
    "department": "The caller's department.",
    "door": "By which door the request came, such as `openai.chat`.",
    "dropped": "Models that were considered and dropped, each with what dropped it: also after the plan was made, "
    "where a candidate was left alone (`health`), had no free place (`places`) or did not fit (`budget`).",
    "error": "The code of the [error](errors.md) that ended it, and the stage (`step`) in which it arose.",
    "flags": "What a reader of the bill should know; see below.",
    "held": "The most that it could have cost, held against every budget before it began; nano-units.",
    "hits": "Rules that applied and let it pass, each with its mode and what it did (`enforce`) or would have done "
    "(`shadow`, `warn`): `refuse`, `reroute`, `redact`, `withhold`, `append`.",
    "judged": "Judgements of the reply by a model, or by another that was asked the same (`agreement`): the rule, the "
    "judgement's own run (empty where nothing was asked), and `passed`, `failed` or `unjudged`.",
    "judges": "Of a judgement, or of another opinion: the run whose reply it is about.",
    "kind": "What the row is about; see below.",
    "model": "The workspace's name of the model that was attempted.",
    "outcome": "How it ended; see below.",
    "pack": "SHA-256 (hex) of what was stitched in of the organisation's context; equal digests are equal packs.",
    "payload": "SHA-256 (hex) of the encrypted request and reply, where payloads are kept.",
    "person": "The person's pseudonymous subject id. The name behind it can be erased, the record cannot.",
    "placement": "Where the model runs: `device`, `on_prem` or `cloud`.",
    "policies": "Ids of the policies that decided: those that withheld the reply, or else those about the attempted "
    "model or, where none was, about all. Of what was stopped: the stop's id.",
    "price": "The version of the price list that the bill was made by.",
    "pseudonyms": "How many values were sent under pseudonyms, by category. Never the values, nor the pseudonyms.",
    "redacted": "Categories that were taken out before the text was sent.",
    "required": "What the task type requires of the context, each need with how it stood: `met`, `missing`, `hidden` "
    "(there, and not for this caller), `stale`, `unverified` or `contradicted`.",
    "revision": "The published revision under which it was decided.",
    "rights": "Of a tool's call: by what kind of credential the system knew the person: `exchange`, `grant`, "
    "`certificate`, `login`, `service` (not the person's own) or `none`.",
    "run": "The run's id: what `x-fairlead-run` tells the client.",
    "score": "Of an `outcome`: how well the run was done, in 1/10000.",
    "snapshot": "The snapshot of the context that was searched.",
    "source": "Of an `outcome`: what says so: `feedback` or `correction`, of a person.",
    "sources": "Of a tool's call: where its arguments came from, all together.",
    "suppressed": "Refusals before this one that were counted but not recorded, because too many came at once.",
    "task": "The task type.",
    "tenant": "The caller's tenant.",
    "tool": "The tool that was called: `system.tool`.",
    "usage": "Tokens as billed; `estimated` where the provider did not report them.",
    "v": "The version of this form.",
    "weight": "Of an `outcome`: how much it counts, in 1/1000.",
    "within": "The run that this one is a part of (a fact that a decision needed, a live source of its context, what "
    "its question means to a model for embeddings), or "
    "the work that its client named, as a digest.",
    "workflow": "Of what a run of a workflow does: which one it is. A subflow's steps are those of the run's workflow.",
}
KINDS: Final = {
    "call_model": "The action itself, a model's answer: one for each run.",
    "call_tool": "The action itself, a tool's call: one for each run.",
    "read_pages": "The action itself, pages of the context read whole by a step of a workflow: one for each run.",
    "attempt": "A try of a model that failed, that another one outran (`hedged`), or whose answer was not kept; billed "
    "by itself.",
    "outcome": "How well the run that it is `about` was done, said by `person` afterwards; `task` and "
    "`model` are the run's.",
    "refusal": "A request that was turned away at a door, before there was an action.",
    "late": "A settlement that came after recovery had settled the run; unbilled, to be reconciled.",
    "erasure": "A deed: a person's key was deleted, and with it all that was sealed for them.",
    "workflow_not_undone": "A deed: a run has ended, and what it did at the places that `about` names could be undone "
    "and is not. A control of this kind (`most: 0`) has somebody alarmed.",
    "workflow_erased": "A deed: a run went with its person in its middle, or had left something that was not undone.",
    "legal_hold": "A deed: a person's or a run's data must not be erased for now.",
    "legal_release": "A deed: such a hold has ended.",
    "memory_forgotten": "A deed: what was remembered was deleted, by hand; `about` says how much.",
    "examples_exported": "A deed: labelled examples were given away to learn from; `about` says how many, up to which "
    "class.",
    "examples_forgotten": "A deed: labelled examples were deleted, by hand; `about` says how many.",
    "retention": "A deed: payloads or labelled examples whose time was over were deleted.",
    "key_revoked": "A deed: an API key was revoked.",
    "signing_key": "A deed: another key signs the log from here on.",
    "backup": "A deed: a backup was made.",
    "restore": "A deed: this database was restored from a backup.",
    "stop": "A deed: somebody, or a control, has stopped what `about` names; its `run` is the stop's id.",
    "credits_allotted": "A deed: a budget was given more than its cap, for a period.",
    "credits_taken_back": "A deed: of what a budget had left, some was taken away, for a period.",
    "credits_transferred": "A deed: what a budget had left went to another, for a period.",
    "budget_raised": "A deed: somebody agreed to raise a budget for a period, since calls did not fit any more.",
    "budget_carried": "A deed: what was left of a budget's period went on to the next one.",
    "budget_passed": "A deed: budgets passed a share of `warn`, and alarms were posted.",
    "resume": "A deed: what `about` names goes on.",
    "approval_asked": "A deed: a call of a tool waits for people; `about` has the approval's id, tool and roles.",
    "approval_stands": "A deed: one that was asked under another revision counts under that of now: nothing that it "
    "rests on has changed.",
    "approval_agreed": "A deed: somebody (`person`) agrees to one, and others must still.",
    "approval_granted": "A deed: somebody agrees, and that is enough: the call may be made once.",
    "approval_denied": "A deed: somebody denies one.",
    "approval_used": "A deed: the call that one lets pass begins; `about` has its run.",
    "approval_expired": "A deed: the time of one was over before it was used.",
    "request_done": "A deed: a request to an owner of context was seen to; `about` has its id.",
    "request_dismissed": "A deed: a request to an owner of context will not be seen to; `about` has its id.",
    "signed_in": "A deed: a person has signed in with a browser.",
    "signed_out": "A deed: that session has ended; `about` says by what.",
    "grant_made": "A deed: a person has connected a system with an account of theirs; `about` has the grant's id.",
    "grant_changed": "A deed: they let other agents use one.",
    "grant_ended": "A deed: one has ended by itself; `about` says why.",
    "grant_revoked": "A deed: they, or whoever runs the deployment, have ended one.",
    "predictor": "A deed: what routing has learnt decides from here on by another version; `about` has both.",
    "speeds": "A deed: how fast models of the house are on a machine was measured; `about` names them.",
    "breach": "A deed: a control is in breach; `about` is JSON with its figures and the runs that are the evidence.",
    "breach_over": "A deed: it is well again.",
}
OUTCOMES: Final = {
    "done": "Answered and settled.",
    "estimated": "A dry run: decided and priced; nothing was called.",
    "refused": "Not allowed, or not well formed; `error` says which.",
    "failed": "A model's server, or Fairlead, failed.",
    "abandoned": "The client left, or another attempt answered first (`hedged`); what was produced is billed.",
    "orphaned": "Its worker died; recovery billed what was held.",
    "escalated": "Of an attempt: it answered, and its answer did not pass a check, so the next model was asked.",
}
FLAGS: Final = {
    "failed": "An attempt that failed; the error's code stands beside it.",
    "reconcile": "Nobody here can know what the provider billed: compare with its invoice.",
    "escalated": "The answer of this attempt was not kept; `checks` say why.",
    "kept_anyway": "The answer does not pass its checks and is given with a warning, since no better one was to be "
    "had; the error's code stands beside it where one came between.",
    "hedged": "An attempt beside another one that was slow to begin; of an action: it had such attempts.",
    "cheaper": "A cheaper model was used than was planned, since a budget is nearly spent (`at_cap: cheaper`).",
    "overrun": "The provider gave more output tokens than it was asked for.",
    "over_hold": "The bill was higher than what was held.",
    "orphaned": "Settled by recovery.",
    "asked_back": "The system asked the caller's program something in the midst of the call.",
    "left_out": "A file of a tool's result was too large, or of a type that is not taken from its system.",
    "words_only": "The context was searched by words alone, though a model for embeddings is declared: it was away, "
    "too slow, not permitted, or the pages are not embedded yet. The trace says which.",
    "unknown_pseudonym": "The reply held what looks like a pseudonym and stands for nothing; it was left as it is.",
    "renewed": "The system refused a tool's credential, which was renewed, and the call sent once more.",
}
