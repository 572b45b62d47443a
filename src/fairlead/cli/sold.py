"""What the models of published revisions were, and at what rates: a bill is about what was in force then, not now."""

import hashlib

import msgspec

from fairlead.cli.output import say
from fairlead.cli.place import Place, secrets
from fairlead.clock import SystemClock
from fairlead.costs.billing.charges import Sales, Sold
from fairlead.errors import FairleadError
from fairlead.storage.store import Store
from fairlead.workspace.published import load_revision


def sales_of(place: Place, store: Store) -> Sales:
    """By revision and model. Each text is compiled once, however many revisions have it. What can no longer be read is
    said once, and its calls are billed as one kind of tokens."""
    by_revision: dict[str, dict[str, Sold]] = {}
    by_text: dict[str, dict[str, Sold]] = {}

    def models_of(revision: str) -> dict[str, Sold]:
        try:
            return _models(place, store, revision, by_text)
        except FairleadError as error:
            say(f"revision {revision[:12] or '(none)'} cannot be read, so its tokens are not told apart: {error}")
            return {}

    def sold(revision: str, model: str) -> Sold:
        if revision not in by_revision:
            by_revision[revision] = models_of(revision)
        return by_revision[revision].get(model, Sold())

    return sold


def _models(place: Place, store: Store, revision: str, by_text: dict[str, dict[str, Sold]]) -> dict[str, Sold]:
    from fairlead.workspace.compile import compile_workspace

    text = load_revision(store, revision, with_pages=False).text
    digest = hashlib.sha256(msgspec.json.encode(sorted(text.files.items()))).hexdigest()
    if digest not in by_text:
        workspace = compile_workspace(text, secrets(place.workspace), now=SystemClock().now())
        by_text[digest] = {
            name: Sold(each.placement.vendor, each.remote, each.placement.region, workspace.rates.get(name))
            for name, each in workspace.models.models.items()
        }
    return by_text[digest]
