"""What callers are told whom a system could not know."""

from fairlead.errors import Refused


class NoCredential(Refused):
    """Nothing is there by which the system could know this caller.

    Where the system takes exchanged tokens, come with an access token of the identity provider and not with an API key.
    Where people connect accounts of their own, open the address that the error tells in a browser, and consent.
    Where each person has an account of their own, have one made, and its password put where the workspace says. Where
    certificates are issued for people, a name must be one that a database can have: up to 63 bytes, all
    of them printable.
    """

    code = "no_credential"
    status = 403
