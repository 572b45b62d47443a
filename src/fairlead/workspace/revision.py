"""A revision: one published state of a workspace, named by the digest of everything in it."""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.audit.canonical import canonical
from fairlead.errors import Broken
from fairlead.workspace.text import WorkspaceText

ID_LENGTH: Final = 16
_FORMAT: Final = "fairlead/workspace/1"


class Revision(Struct, frozen=True):
    """`files` maps each path to the SHA-256 of its content, `snapshot` names the context that was published with it
    ("" for none). `digest` covers all of it, `id` is its first 16 digits."""

    files: Mapping[str, str]
    snapshot: str = ""

    @property
    def manifest(self) -> bytes:
        """What the digest is taken over: canonical JSON, the same on every machine."""
        return canonical({"format": _FORMAT, "files": dict(self.files), "snapshot": self.snapshot})

    @property
    def digest(self) -> str:
        """The SHA-256 of the manifest, in hexadecimal: equal digests are equal revisions, byte for byte."""
        return hashlib.sha256(self.manifest).hexdigest()

    @property
    def id(self) -> str:
        """The name that people and records use."""
        return self.digest[:ID_LENGTH]


class _Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    files: dict[str, str]
    snapshot: str


def revision_of(text: WorkspaceText, snapshot: str = "") -> Revision:
    """The revision that this text is. Equal texts are equal revisions, whoever read them and when."""
    return Revision({path: digest_of(content) for path, content in sorted(text.files.items())}, snapshot)


def digest_of(content: bytes) -> str:
    """The name under which a file's content is kept."""
    return hashlib.sha256(content).hexdigest()


def read_manifest(id: str, manifest: bytes) -> Revision:
    """The revision that a stored manifest describes. Raises `Broken` if it is not the one of this id."""
    try:
        read = msgspec.json.decode(manifest, type=_Manifest)
    except msgspec.MsgspecError as error:
        raise damaged(id, str(error)) from error
    revision = Revision(read.files, read.snapshot)
    if revision.id != id:
        raise damaged(id, f"its manifest has the digest {revision.id}")
    return revision


def damaged(id: str, why: str) -> Broken:
    """The error for a stored revision that is not what was published."""
    return Broken(
        f"the stored revision {id} is damaged",
        why=why,
        mend="restore the database from a backup, or publish the workspace again with `fairlead apply`",
        subject=id,
    )
