"""Callers: keys, identity providers, and the answer to "who asks?".

What needs SQL or token libraries is imported from where it lives: `key_table`, `issuer_keys`, `fetch`.
"""

from fairlead.identity.authenticate import Authenticator
from fairlead.identity.key_settings import KeySettings
from fairlead.identity.keys import Key, new_key
from fairlead.identity.settings import Identity, IdentitySettings, compile_identity
from fairlead.identity.types import Caller

__all__ = [
    "Authenticator",
    "Caller",
    "Identity",
    "IdentitySettings",
    "Key",
    "KeySettings",
    "compile_identity",
    "new_key",
]
