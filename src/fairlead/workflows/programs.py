"""Programs by the definition that a run began with: compiled once for all runs that go on with it."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.errors import NotFound
from fairlead.tools.python import load
from fairlead.tools.python_functions import Function
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.program import Program

_REMEMBERED: Final = 64
# Made here, once: msgspec works out what a struct is like at its first use, and two threads must not do so at once.
_bundle: Final = msgspec.json.Decoder(Bundle)


class Loaded(Struct, frozen=True):
    """A program, and the functions that its python steps call, by module and name."""

    program: Program
    modules: Mapping[str, Mapping[str, Function]]

    def function(self, name: str) -> Function:
        """The function of `module:function`. Raises `NotFound`."""
        module, _, function = name.partition(":")
        found = self.modules.get(module, {}).get(function)
        if found is None:
            raise NotFound(
                f"there is no function {function!r} in workflows/{module}.py",
                why="a python step names a public function with type hints",
                mend="correct the step, or write the function; `fairlead check` shows both",
                subject=name,
            )
        return found


def bundle_of(body: bytes) -> Bundle:
    """A bundle as it is kept with its runs, not compiled: nothing of it is executed."""
    return _bundle.decode(body)


class Programs:
    """What is compiled in this process. Call `of` in a thread: modules are executed by it."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Loaded] = OrderedDict()

    def known(self, body: bytes) -> Loaded | None:
        """The same where it is compiled already, which needs no thread."""
        return self._known.get(body)

    def of(self, body: bytes) -> Loaded:
        """Of a bundle, as it is kept with its runs. Raises `BadInput` where a module of it does not run."""
        found = self._known.get(body)
        if found is None:
            bundle = bundle_of(body)
            modules = {
                name: load(text.encode(), f"workflows/{name}.py").functions for name, text in bundle.modules.items()
            }
            found = self._known[body] = Loaded(Program(bundle), modules)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(body)
        return found
