"""`fairlead login`, `logout`, `whoami` and `token`: a person's own login at a Fairlead server, for their programs."""

import webbrowser
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairlead.cli.asking import got
from fairlead.cli.later import PLAIN
from fairlead.cli.output import DryRun, Json, data, json_data, say
from fairlead.cli.place import Url, Workspace, server_url
from fairlead.cli.signing_in import (
    by_browser,
    by_device,
    chosen,
    forget,
    fresh,
    keep,
    key_or_login,
    logins,
    offered_by,
    server_of,
)
from fairlead.cli.when import shown
from fairlead.errors import NotFound

if TYPE_CHECKING:
    from fairlead.identity.native import Pairing

login_app = typer.Typer(**PLAIN)
logout_app = typer.Typer(**PLAIN)
whoami_app = typer.Typer(**PLAIN)
token_app = typer.Typer(**PLAIN)


@login_app.command()
def login(
    url: Url = "",
    provider: Annotated[str, typer.Option("--provider", help="Where to sign in, if there are several.")] = "",
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Show the address, for a browser on this machine.")
    ] = False,
    device: Annotated[bool, typer.Option("--device", help="Show a code, for a browser on any machine.")] = False,
    workspace: Workspace = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Sign in at the company's identity provider. The tokens are kept for this user alone and shown nowhere."""
    server = server_of(url or server_url(workspace))
    client = chosen(offered_by(server), server, provider)
    if dry_run:
        say(f"would sign in to {server} at {client.label} ({client.issuer}) as the program {client.client_id}")
        return

    def address(where: str) -> None:
        if no_browser or not webbrowser.open(where):
            say(f"open this address in a browser on this machine: {where}")
        else:
            say(f"a browser was opened at {client.label}; waiting for you to sign in")

    def code(pairing: "Pairing") -> None:
        say(f"open {pairing.verification_uri} on any machine, and type the code {pairing.user_code}")
        if pairing.verification_uri_complete:
            say(f"or open {pairing.verification_uri_complete}")

    saved = keep(server, client, by_device(client, code) if device else by_browser(client, address))
    if json:
        json_data({"server": server, "provider": saved.provider, "issuer": saved.issuer, "expires": saved.expires})
        return
    say(f"signed in to {server} at {client.label}; fairlead whoami tells who you are there")
    if not saved.refresh and saved.expires:
        say(f"the provider gave no refresh token: this login ends at {shown(saved.expires)} UTC")


@logout_app.command()
def logout(
    url: Url = "",
    every: Annotated[bool, typer.Option("--all", help="The logins at all servers.")] = False,
    workspace: Workspace = None,
    dry_run: DryRun = False,
) -> None:
    """Forget a login here, and have the provider forget its refresh token."""
    servers = sorted(logins().all()) if every else [server_of(url or server_url(workspace))]
    for server in servers:
        if dry_run:
            say(f"would sign out of {server}")
        elif forget(server):
            say(f"signed out of {server}")
        else:
            say(f"there was no login at {server}")


@whoami_app.command()
def whoami(
    url: Url = "",
    key: Annotated[
        str,
        typer.Option("--as", envvar="FAIRLEAD_API_KEY", metavar="KEY", show_default=False, help="The key to ask with."),
    ] = "",
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Who a server takes you for, by your key or your login."""
    address = url or server_url(workspace)
    said = got(address, "/v1/whoami", key_or_login(key, address))
    if json:
        json_data(said)
        return
    data(str(said["person"]))
    for name in ("agent", "department", "tenant"):
        if said.get(name):
            data(f"{name}: {said[name]}")
    for name in ("groups", "roles"):
        if said.get(name):
            data(f"{name}: {', '.join(said[name])}")
    say(f"known by {said['credential']}" + (f", until {shown(said['expires'])} UTC" if said.get("expires") else ""))


@token_app.command()
def token(url: Url = "", workspace: Workspace = None, json: Json = False) -> None:
    """Print a token that counts now, for a program that cannot sign in itself: whoever has it acts as you."""
    server = server_of(url or server_url(workspace))
    saved = fresh(server)
    if saved is None:
        raise NotFound(f"there is no login at {server}", mend=f"fairlead login --url {server}")
    if json:
        json_data({"server": server, "token": saved.access, "expires": saved.expires})
    else:
        data(saved.access)


def commands() -> dict[str, Any]:
    made = {"login": login_app, "logout": logout_app, "whoami": whoami_app, "token": token_app}
    return {name: typer.main.get_command(app) for name, app in made.items()}
