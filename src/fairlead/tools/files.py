"""Files of the workspace that systems are described by."""

from collections.abc import Mapping

from fairlead.errors import BadInput, closest

_FOLDER = "systems/"


def file_of(files: Mapping[str, bytes], name: str, key: str) -> bytes:
    """The file that the setting under `key` names, with or without `systems/` before it. Nothing is read from a disk.

    Raises `BadInput` if the workspace has none of that name.
    """
    bare = name.removeprefix(_FOLDER)
    for each in (_FOLDER + bare, bare):
        if (found := files.get(each)) is not None:
            return found
    raise BadInput(
        f"{key}: the workspace has no file {_FOLDER}{bare}",
        mend=closest(_FOLDER + bare, files) or f"put it into the folder {_FOLDER}",
    )
