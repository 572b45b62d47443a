"""What was understood, and is not allowed."""

from collections.abc import Callable

from fairlead.error_kinds.foreseen import FairleadError


class Refused(FairleadError):
    """The request was understood and is not allowed."""

    code = "refused"
    status = 403


class Denied(Refused):
    """A policy forbids the action, or no policy permits it (Fairlead denies by default).

    `fairlead policy explain RUN` names the policies that decided and shows what they read.
    """

    code = "denied"


class NotRedactable(Denied):
    """Something in the request must not leave for the model, and stands where nothing can be taken out of it.

    In an image or a document nothing can be found; a tool's definition, a name or a stop sequence cannot be changed.
    Send what they say as text, or ask for a model that may see it. Where others may answer, they are asked instead.
    """

    code = "not_redactable"


class Stopped(Refused):
    """Somebody, or a control, has stopped this: the caller, their agent or department, every model that may answer, or
    the whole organisation.

    A stop comes before every policy and lasts until it is resumed or its time is over. `fairlead stops` lists what is
    stopped, since when and why; `fairlead resume` ends a stop. `stop` is its id, under which the log has it.
    """

    code = "stopped"

    def __init__(
        self, message: str, *, why: str = "", mend: str = "", step: str = "", subject: str = "", stop: str = ""
    ) -> None:
        super().__init__(message, why=why, mend=mend, step=step, subject=subject)
        self.stop = stop


class Withheld(Refused):
    """A model answered, and a rule keeps the answer from leaving.

    The attempt is billed, because the provider did the work. `policies` are those that decided; they stand in the
    record in place of those that had permitted the call.
    """

    code = "withheld"

    def __init__(
        self,
        message: str,
        *,
        why: str = "",
        mend: str = "",
        step: str = "",
        subject: str = "",
        policies: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, why=why, mend=mend, step=step, subject=subject)
        self.policies = policies


class NoCandidate(Refused):
    """No model is both permitted and able to do this task.

    Every model that was dropped keeps its reason: see the message, or `fairlead trace RUN`.
    """

    code = "no_candidate"


class OverBudget(Refused):
    """The action might cost more than what is left under a cap.

    Fairlead holds the most that an action can cost before it runs, so a call near the cap is refused even if it
    would have turned out cheaper. Ask for fewer output tokens, use a cheaper model, wait for the next period, or
    have the cap raised in `budgets:` and published.
    """

    code = "over_budget"
    status = 429

    def __init__(
        self, *, scope: str, period: str, left: int, needed: int, said: str = "", why: str = "", mend: str = ""
    ) -> None:
        super().__init__(
            said or f"budget {scope} for {period} has {left / 1e9:.6f} left; this call may cost {needed / 1e9:.6f}",
            why=why or "Fairlead reserves the most that a call can cost before it is made",
            mend=mend
            or "lower max_tokens, choose a cheaper model, or raise the cap under `budgets:` and run `fairlead apply`",
            step="reserve",
            subject=scope,
        )
        self.scope, self.period, self.left, self.needed = scope, period, left, needed

    def told_in(self, exact: Callable[[int], str], unit: str) -> "OverBudget":
        """The same, with amounts as the workspace counts them."""
        said = f"budget {self.scope} for {self.period} has {exact(self.left)} {unit} left; this call may cost "
        return self.mended(said=said + f"{exact(self.needed)} {unit}")

    def mended(self, *, said: str = "", why: str = "", mend: str = "") -> "OverBudget":
        """The same, in other words."""
        return OverBudget(
            scope=self.scope,
            period=self.period,
            left=self.left,
            needed=self.needed,
            said=said or self.message,
            why=why or self.why,
            mend=mend or self.mend,
        )


class Unpriced(Refused):
    """Nobody has said what this model costs, so no call to it can be held against a budget.

    Add its price under `prices:` in fairlead.yaml (per million tokens) and publish.
    """

    code = "unpriced"
    status = 422


class Overloaded(Refused):
    """This worker takes no new work just now: its journal is full, or it has lost touch with the shared state.

    Retry after the seconds given in `Retry-After`. Nothing was spent.
    """

    code = "overloaded"
    status = 503

    def __init__(
        self, message: str, *, retry_after: float = 1.0, why: str = "", mend: str = "", step: str = ""
    ) -> None:
        super().__init__(message, why=why, mend=mend or "retry after a short wait", step=step)
        self.retry_after = retry_after
