"""Secrets with a form of their own that needs more than a prefix, and secrets that only their surroundings give away:
blocks, assignments, headers, command lines, sentences."""

from typing import Final

from fairlead.policy.detectors import randomness as drawn
from fairlead.policy.detectors.entry import Entry
from fairlead.policy.detectors.tokens import UUID

_AFTER_NAME = r"[\"'\]\\]{0,3}[ \t]{0,3}"
_IS = r"(?::=|=>|==|\?=|\|\|:?|=|:)[ \t]{0,3}"
_QUOTED = r"\\?[\"'`]"
_SPELT = r"(?:password|passwd|passphrase|passcode|\bpwd|\bpass)"
_KEY_NAME = r"(?:key|secret|token|credentials?|creds|authorization|auth|access|api)[A-Za-z0-9_.-]{0,16}"
_NAME = rf"\b[A-Za-z0-9_.-]{{0,40}}?{_KEY_NAME}"
_ASSIGNED = rf"(?:{_AFTER_NAME}{_IS}(?:{_QUOTED})?|[\"'] {{0,2}}, {{0,2}}[\"']|>)(?:(?:bearer|token|basic) {{1,3}})?"
_KEY_WORD = r"(?:key|secret|token|credential|passcode)s?"
# Keys and tokens that are no secrets: of tables, of caches, of pages, of forms, the public half of a pair; and what is
# said about a key and is not the key: its id, its name, its length.
_HARMLESS = (
    r"(?:public|pub|primary|foreign|partition|sort|cache|idempotency|index|object|bucket|row|column|translation|lookup"
    r"|unique|natural|sequence|schema|csrf|xsrf|authenticity|page|next|continuation|cursor|sync)[_. -]?(?:key|token)"
    r"|(?:key|secret|token|credential|auth|api)s?[_.-]?(?:id|name|type|length|size|version|alias|code|board|hash|ring"
    r"|vault|store|file|path|url|uri|source|results?|endpoint|algorithm|fingerprint|signature|format|ref|arn|count"
    r"|word|identifier|issuer|subject|provider|method|scheme|ors?|ority|enticated?|entication)(?![a-z])"
)
_NO_KEY_MEANT = r"\b(?:public|fingerprint|checksum|digest|commit|sha-?\d{0,3}|md5|hash|version|id)\b"
_BLOCK = r"[A-Za-z0-9+/=\s\\:,.-]"
_LINES = r"(?:[ \t\r]*\n[ \t]*(?:#[^\n]*|[A-Za-z0-9_.-]+:[^\n]*))+"
_HEADER = r"(?i)(?:-H|--header) {0,3}[\"'\\]{0,2}[A-Za-z0-9-]{0,30}(?:auth(?:orization)?|token|key|secret)"
_USER = r"(?i)(?:\s-u|--user|--proxy-user)[ =]{0,3}[\"']?[^\s:\"'<>{}$\[]{1,64}:"
_BASIC = r"(?i)\bauthorization[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?basic "
_OF_KIND = r"kind:[ \t]{0,3}[\"']?secret\b"
_SAID = r"(?i)\b(?:password|passcode|passphrase)(?: [a-z]{1,12}){0,3}? (?:is|was|to|be)"

_FORMED: Final = (
    # Without an end, because a key that is cut off, or longer than foreseen, must not leave a tail.
    Entry("private_key", "secret", "private keys in PEM and PGP blocks",
          rf"-----BEGIN (?:[A-Z0-9]{{1,12}} ){{0,3}}PRIVATE KEY(?: BLOCK)?-----"
          rf"(?:{_BLOCK}*?-----END [A-Z0-9 ]{{0,50}}-----|{_BLOCK}*)", drawn.key_block,
          "PRIVATE KEY(?: BLOCK)?-----"),
    Entry("jwt", "secret", "JSON web tokens", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*", None,
          r"\beyJ[A-Za-z0-9_-]{8}"),
    Entry("jwt_encoded", "secret", "JSON web tokens that were encoded once more", r"\bZXlK[A-Za-z0-9+/]{60,}={0,2}",
          drawn.issued, r"\bZXlK[A-Za-z0-9+/]{60}"),
    Entry("cloud_client_secret", "secret", "client secrets of a cloud's directory",
          r"\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}", drawn.issued_random,
          r"[0-9]Q~[A-Za-z0-9_~.-]{31}"),
    Entry("cloud_storage_key", "secret", "account keys of cloud storage",
          r"(?i)AccountKey=(?P<value>[A-Za-z0-9+/]{86}==)", None, r"(?i)AccountKey="),
    Entry("cloud_model_key", "secret", "long and short keys of a cloud's models",
          r"\b(?:ABSK[A-Za-z0-9+/]{109,269}(?:={1,2}|\b)|[a-z]{4,12}-api-key-YmVkcm9jay[A-Za-z0-9+/]{20,}={0,2})", None,
          r"\bABSK[A-Za-z0-9+/]{8}|-api-key-YmVkcm9jay"),
    Entry("model_key", "secret", "keys of models that begin with sk-",
          r"\bsk-(?:[A-Za-z0-9]{1,8}-){0,2}[A-Za-z0-9_-]{20,}", drawn.random_token, r"\bsk-[A-Za-z0-9_-]{20}"),
    Entry("model_hub_token", "secret", "tokens of a hub of models", r"\bhf_[A-Za-z0-9]{30,60}\b",
          drawn.issued_letters, r"\bhf_[A-Za-z0-9]{8}"),
    Entry("vault_token", "secret", "tokens of vaults in their old form", r"\bs\.[A-Za-z0-9]{24}\b",
          drawn.issued_random),
    Entry("chat_token", "secret", "tokens of chat rooms",
          r"\b(?:xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{8,}|xapp-[0-9]-[A-Za-z0-9-]{20,}"
          r"|[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38})", drawn.issued_random,
          r"\b(?:xox[abeoprs]|xapp)|\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27}"),
    Entry("chat_webhook", "secret", "addresses at which anyone may write into a chat room",
          r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{20,90}"
          r"|discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{50,90}"
          rf"|webhook\.office\.com/webhookb2/{UUID}@{UUID}/IncomingWebhook/[A-Za-z0-9]{{32}}/{UUID}", None,
          r"hooks\.slack\.com|/api/webhooks/|webhook\.office\.com"),
    Entry("bot_token", "secret", "tokens of chat bots",
          r"(?:\b|\bbot)[0-9]{5,16}:A[A-Za-z0-9_-]{33}(?:[A-Za-z0-9]\b|[_-])", drawn.random_token,
          r"[0-9]{5}:A[A-Za-z0-9_-]{8}"),
    Entry("dashboard_token", "secret", "tokens of dashboards and error tracking, which carry encoded text",
          r"\b(?:glc_[A-Za-z0-9+/]{32,}|eyJrIjoi[A-Za-z0-9+/]{70,}|sntrys_eyJ[A-Za-z0-9+/=_-]{60,}"
          r"|fm[12][ar]?_[A-Za-z0-9+/]{100,})={0,3}", drawn.issued_random,
          r"\b(?:glc_|eyJrIjoi|sntrys_|fm[12][ar]?_)"),
    Entry("url_password", "secret", "passwords within addresses",
          r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"'<>]{0,64}:(?P<value>[^\s/@\"'<>\[\]]{3,100})@",
          drawn.url_password, r"://[^\s/@\"'<>]{1,166}@"),
)  # fmt: skip

_SURROUNDED: Final = (
    Entry("bearer_token", "secret", "tokens after `Bearer`",
          r"(?i)\bbearer\s{1,3}(?P<value>[A-Za-z0-9._~+/-]{20,}={0,2})", drawn.random_token,
          r"(?i)\bbearer\s{1,3}[A-Za-z0-9._~+/-]{20}"),
    Entry("basic_credentials", "secret", "names and passwords after `Authorization: Basic`",
          rf"{_BASIC}{{1,3}}(?P<value>[A-Za-z0-9+/_-]{{8,256}}={{0,2}})", drawn.encoded_password, _BASIC),
    Entry("header_secret", "secret", "keys in the headers of a command line",
          rf"{_HEADER}[A-Za-z0-9-]{{0,10}} {{0,3}}: {{0,3}}(?:(?:bearer|token|basic|apikey|key) {{1,3}})?"
          r"(?P<value>[^\s\"'`\\]{8,512})", drawn.header_value, _HEADER),
    Entry("user_option", "secret", "passwords after `-u name:` and `--user name:`",
          rf"{_USER}[\"']?(?P<value>[^\s\"'`<>{{}}\[\]]{{3,128}})", drawn.password, _USER),
    Entry("password_option", "secret", "passwords after an option such as `--password`",
          r"(?i)\B--?(?:password|passwd|passphrase|pass|pwd)(?:=| {1,3})[\"']?"
          r"(?P<value>[^\s\"'`<>$-][^\s\"'`<>]{4,128})", drawn.password,
          r"(?i)--?(?:password|passwd|passphrase|pass|pwd)[= ]"),
    Entry("password_assignment", "secret", "passwords in assignments and settings",
          rf"(?i){_SPELT}{_AFTER_NAME}{_IS}[\"'`]?(?P<value>[^\s\"'`,;<>\[\]{{}}()]{{5,128}})",
          drawn.bare_password, rf"(?i){_SPELT}{_AFTER_NAME}[:=|?]"),
    Entry("quoted_password", "secret", "passwords in quotes, in assignments and settings",
          rf"(?i){_SPELT}{_AFTER_NAME}{_IS}{_QUOTED}(?P<value>[^\s\"'`<>\\]{{5,128}})[\"'`\\]",
          drawn.password, rf"(?i){_SPELT}{_AFTER_NAME}[:=|?]"),
    Entry("password_attribute", "secret", "passwords in attributes of XML",
          r"(?i)[\"'][A-Z0-9_.-]{0,40}(?:password|passwd|pwd)[\"'] {1,3}value {0,2}= {0,2}[\"']"
          r"(?P<value>[^\"'<>%]{5,128})", drawn.password, r"(?i)(?:password|passwd|pwd)[\"'] {1,3}value"),
    Entry("password_sentence", "secret", "passwords in sentences such as `the password is …`",
          rf"{_SAID}(?: now)?:? {{1,2}}[\"'`]?(?P<value>[^\s\"'`<>]{{6,64}})", drawn.spoken_password, _SAID),
    Entry("key_assignment", "secret", "random values of names such as `api_key`, `token` and `clientSecret`",
          rf"(?i){_NAME}{_ASSIGNED}(?P<value>[A-Za-z0-9+/_.~=-]{{10,250}})", drawn.assigned_token,
          rf"(?i){_KEY_NAME}{_ASSIGNED}[A-Za-z0-9+/_.~=-]{{10}}", _HARMLESS),
    Entry("quoted_secret", "secret", "random values in quotes, with any signs, of such names",
          rf"(?i){_NAME}{_AFTER_NAME}{_IS}{_QUOTED}(?P<value>[^\s\"'`<>{{}}\\/$%][^\s\"'`<>{{}}\\/]{{14,127}})[\"'`]",
          drawn.random_token, rf"(?i){_KEY_NAME}{_AFTER_NAME}{_IS}{_QUOTED}[^\s\"'`<>{{}}\\/]{{15}}", _HARMLESS),
    Entry("key_sentence", "secret", "random values shortly after words such as `key` and `token`",
          rf"(?i)\b{_KEY_WORD}\b[^\n/.;]{{1,40}}?(?P<value>[A-Za-z0-9][A-Za-z0-9_.~+/=-]{{13,250}})",
          drawn.spoken_token,
          rf"(?i)\b{_KEY_WORD}\b[^\n/.;]+[A-Za-z0-9_.~+/=-]{{14}}", _NO_KEY_MEANT),
    Entry("host_credentials", "secret", "credentials for hosts of packages, in the settings of bundler",
          r"\bBUNDLE_[A-Z0-9_]{3,80}=[\"']?(?P<value>[A-Za-z0-9._~%-]{3,80}:[A-Za-z0-9._~%-]{3,80})", drawn.password,
          r"\bBUNDLE_[A-Z0-9_]{3,80}="),
    Entry("cluster_secret", "secret", "the data of a Secret in the manifests of clusters",
          rf"(?i)\b{_OF_KIND}(?:[^\n]*\n){{1,20}}?[ \t]*(?:string)?data:(?P<value>{_LINES})"
          rf"|\bdata:{_LINES}[ \t\r\n]{{1,6}}{_OF_KIND}", drawn.secret_map, rf"(?i)\b{_OF_KIND}"),
)  # fmt: skip

ENTRIES: Final = (*_FORMED, *_SURROUNDED)
