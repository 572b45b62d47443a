"""Credentials that can be told by their form alone, as those who issue them document it.

A line is a form: what stands before the part that is drawn, and that part. Each detector takes the lines of one field
of use, so that a workspace can switch off what it never holds.
"""

from typing import Final

from fairlead.policy.detectors.entry import Entry
from fairlead.policy.detectors.randomness import issued

_W = "[A-Za-z0-9_-]"
_A = "[A-Za-z0-9]"
_L = "[a-z0-9]"
_U = "[A-Z0-9]"
_H = "[A-Fa-f0-9]"
_B = "[A-Za-z0-9+/]"
_V = "[A-Za-z0-9_=-]"
_END = r"(?:[A-Za-z0-9]\b|[_-])"  # the last character of what may end with a hyphen, and has a length of its own
UUID = rf"{_H}{{8}}-{_H}{{4}}-{_H}{{4}}-{_H}{{4}}-{_H}{{12}}"

# What stands before, as a pattern, and the part that is drawn; where nothing stands before, a part to look for first.
Form = tuple[str, str] | tuple[str, str, str]

_CODE: Final[tuple[Form, ...]] = (
    ("gh[pousr]_", rf"{_A}{{36,}}"),
    ("github_pat_", "[A-Za-z0-9_]{22,}"),
    ("gl(?:pat|ptt|dt|rt|soat|cbt|imt|ft|agent|ffct|oas|wt)-", "[A-Za-z0-9_.-]{20,100}"),
    ("GR1348941", rf"{_W}{{19}}{_END}"),
    ("sgp_", rf"(?:(?:{_H}{{16}}|local)_)?{_H}{{40}}"),
    ("ATBB", rf"{_A}{{24,40}}"),
    ("sq[uap]_", rf"{_L}{{40}}"),
)
_PACKAGES: Final[tuple[Form, ...]] = (
    ("npm_", rf"{_A}{{36}}"),
    ("pypi-", rf"{_W}{{50,}}"),
    ("rubygems_", rf"{_H}{{48}}"),
    ("CLOJARS_", rf"{_A}{{60}}"),
    ("oy2", rf"{_L}{{43}}"),
    ("cio", rf"{_A}{{32}}"),
    ("dckr_(?:pat|oat)_", rf"{_W}{{24,40}}"),
    ("AKC", rf"{_A}{{60,75}}"),
    ("cmVmdGtu", rf"{_A}{{56}}"),
)
_CLOUDS: Final[tuple[Form, ...]] = (
    ("(?:A3T[A-Z0-9]|AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|ABIA|ACCA)", "[A-Z2-7]{16}"),
    ("AIza", rf"{_W}{{34}}{_END}"),
    ("GOCSPX-", rf"{_W}{{27}}{_END}"),
    (r"ya29\.", rf"{_W}{{20,}}"),
    ("LTAI", rf"{_A}{{12,24}}"),
    ("AKID", rf"{_A}{{13,40}}"),
    ("AQVN", rf"{_W}{{35,38}}"),
    (r"t1\.[A-Z0-9][A-Za-z0-9_-]{2,60}={0,2}\.", rf"{_W}{{86}}={{0,2}}"),
    ("YC", rf"{_W}{{37}}{_END}"),
    ("do[opr]_v1_", rf"{_H}{{64}}"),
    ("HRKU-(?:AA)?", rf"(?:{_W}{{57}}{_END}|{UUID})"),
    (r"v1\.0-", rf"{_H}{{24}}-{_H}{{146}}"),
    ("nfp_", rf"{_A}{{36}}"),
    ("fo1_", rf"{_W}{{42}}{_END}"),
    ("rnd_", rf"{_A}{{28,40}}"),
    ("tk-us-", rf"{_W}{{47}}{_END}"),
    ("sbp_", rf"{_H}{{40}}"),
)
_DEPLOYING: Final[tuple[Form, ...]] = (
    (r"hv[sbr]\.", rf"{_W}{{24,}}"),
    ("", rf"{_A}{{14}}\.atlasv1\.{_V}{{60,70}}", r"\.atlasv1\."),
    ("pul-", rf"{_H}{{40}}"),
    (r"dp\.(?:pt|ct|st|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?", rf"{_A}{{40,44}}"),
    (r"(?:pat|sat)\.", rf"{_W}{{22}}\.{_A}{{24}}\.{_A}{{20}}"),
    ("API-", rf"{_U}{{26}}"),
    ("sha256~", rf"{_W}{{42}}{_END}"),
    ("pnu_", rf"{_L}{{36}}"),
    ("ico-", rf"{_A}{{32}}"),
    ("bk[ua]a?_", rf"{_A}{{30,60}}"),
    ("CCI(?:PAT|PRJ)_", rf"{_A}{{20,24}}_{_H}{{40}}"),
    ("tskey-[a-z]{2,12}-", rf"{_A}{{8,40}}-{_A}{{8,60}}"),
    ("dnkey-", "[a-z0-9=_-]{26}-[a-z0-9=_-]{52}"),
    ("AGE-SECRET-KEY-1", "[02-9AC-HJ-NP-Z]{58}"),
    ("ops_eyJ", rf"{_B}{{250,}}={{0,3}}"),
    ("A3-", rf"{_U}{{6}}-(?:{_U}{{11}}|{_U}{{6}}-{_U}{{5}})(?:-{_U}{{5}}){{3}}"),
)
_WATCHING: Final[tuple[Form, ...]] = (
    ("glsa_", rf"{_A}{{32}}_{_H}{{8}}"),
    ("NRAK-", rf"{_A}{{27}}"),
    ("NRI[IQ]-", rf"{_W}{{31}}{_END}"),
    ("NRJS-", rf"{_H}{{19}}"),
    ("NRRA-", rf"{_H}{{42}}"),
    ("sntryu_", rf"{_H}{{64}}"),
    (r"dt0[a-z][0-9]{2}\.", rf"{_A}{{24}}\.{_A}{{64}}"),
    ("hc[abx][icln]k_", rf"{_L}{{50,70}}"),
    ("ph[xs]_", rf"{_A}{{40,60}}"),
)
_MODELS: Final[tuple[Form, ...]] = (
    ("pplx-", rf"{_A}{{48}}"),
    ("gsk_", rf"{_A}{{48,56}}"),
    ("r8_", rf"{_A}{{37,40}}"),
    ("xai-", rf"{_A}{{70,90}}"),
    ("nvapi-", rf"{_W}{{60,70}}"),
    ("lsv2_(?:pt|sk)_", rf"{_H}{{32}}_{_H}{{10}}"),
    ("api_org_", rf"{_A}{{34}}"),
    ("pcsk_", rf"{_A}{{5,8}}_{_A}{{50,70}}"),
    ("[cp]sk-", rf"{_L}{{40,60}}"),
    ("e2b_", rf"{_H}{{40}}"),
    ("tvly-", rf"(?:(?:dev|prod)-)?{_A}{{30,40}}"),
    ("jina_", rf"{_W}{{50,70}}"),
)
_DATA: Final[tuple[Form, ...]] = (
    ("dapi", rf"{_H}{{32}}(?:-[0-9])?"),
    ("pscale_(?:tkn|pw|oauth)_", "[A-Za-z0-9_=.-]{32,64}"),
    ("napi_", rf"{_L}{{50,70}}"),
    ("4b1d", rf"{_A}{{38}}"),
    ("", rf"pat{_A}{{14}}\.{_H}{{64}}", rf"{_A}\.{_H}{{16}}"),
    ("CFPAT-", rf"{_W}{{42}}{_END}"),
    ("BBFF-", rf"{_A}{{30,40}}"),
)
_PAYING: Final[tuple[Form, ...]] = (
    ("(?:sk|rk)_(?:live|test|prod)_", rf"{_A}{{10,}}"),
    ("whsec_", rf"{_B}{{32,80}}={{0,2}}"),
    ("sq0(?:atp|csp|idp)-", rf"{_W}{{22,60}}"),
    ("EAAA", rf"{_W}{{56,62}}"),
    ("FLW(?:PUB|SEC)K_TEST-", "[a-h0-9]{12,32}(?:-X)?"),
    ("access-(?:sandbox|development|production)-", UUID),
    (r"(?:sc|ext|scauth|authress)_[a-z0-9]{5,30}\.[a-z0-9]{4,6}\.acc[_-]", r"[a-z0-9-]{10,32}\.[a-z0-9+/_=-]{30,120}"),
    ("live_", rf"{_W}{{39}}{_END}"),
    (r"access_token\$(?:production|sandbox)\$", rf"{_L}{{16}}\${_H}{{32}}"),
    ("duffel_(?:live|test)_", rf"{_V}{{43}}"),
    ("EZ[AT]K", rf"{_A}{{54}}"),
    ("shippo_(?:live|test)_", rf"{_H}{{40}}"),
    ("(?:live|test)_(?:pub_)?", rf"{_H}{{31,35}}"),
    ("rzp_(?:live|test)_", rf"{_A}{{14}}"),
    ("APP_USR-", rf"{_H}{{16}}-[0-9]{{6}}-{_H}{{32}}{_W}{{0,20}}"),
    ("shp(?:at|ca|pa|ss)_", rf"{_H}{{32}}"),
    (r"amzn\.mws\.", UUID),
    ("sm_(?:aat|pat|sat)_", rf"{_A}{{16}}"),
)
_WORKING: Final[tuple[Form, ...]] = (
    ("ntn_", rf"[0-9]{{11}}{_A}{{35}}"),
    ("secret_", rf"{_A}{{43}}"),
    ("lin_api_", rf"{_A}{{40}}"),
    ("PMAK-", rf"{_H}{{24}}-{_H}{{34}}"),
    ("AT(?:ATT|CTT)3", rf"{_V}{{50,}}"),
    ("fig[dur]_", rf"{_V}{{40,60}}"),
    ("fio-u-", rf"{_V}{{64}}"),
    ("tfp_", "[A-Za-z0-9_.-]{59}"),
    ("rdme_", rf"{_L}{{70}}"),
    ("pat-(?:na|eu|ap)[0-9]-", UUID),
    (r"sl\.", rf"{_W}{{130,}}"),
    ("p8e-", rf"{_A}{{32}}"),
    ("", rf"[01]/[0-9]{{16}}:{_H}{{32}}", rf"[0-9]:{_H}{{8}}"),
    ("s-s4t2(?:ud|af)-", rf"{_H}{{64}}"),
    ("", rf"{_A}{{6}}_{_A}{{29}}_mmk", "_mmk"),
    (r"[sp]k\.eyJ", rf"{_W}{{40,}}\.{_W}{{20,40}}"),
    ("EAA[A-Z]", rf"{_A}{{80,}}"),
    ("", "A{20,24}[A-Za-z0-9%]{80,}", "AAAAAAAA"),
    ("", rf"[0-9]{{13,17}}[|]{_W}{{26}}{_END}", rf"[0-9][|]{_W}{{8}}"),
    ("b_", "[a-z0-9=_-]{44}"),
    ("waka_", UUID),
)
_MAIL: Final[tuple[Form, ...]] = (
    (r"SG\.", rf"{_W}{{16,32}}\.{_W}{{16,64}}"),
    ("(?:pub)?key-", rf"{_H}{{32}}"),
    ("", rf"{_H}{{32}}-{_H}{{8}}-{_H}{{8}}", rf"{_H}-{_H}{{8}}-{_H}{{8}}"),
    ("", rf"{_H}{{32}}-us[0-9]{{1,2}}", rf"{_H}-us[0-9]"),
    ("xkeysib-", rf"{_H}{{64}}-{_A}{{16}}"),
    ("re_", rf"{_A}{{8}}_{_A}{{24}}"),
    ("SK", rf"{_H}{{32}}"),
)

_DRAWN = "[A-Za-z0-9_+/=%.~$-]{4}"  # the beginning of any


def _forms(name: str, finds: str, forms: tuple[Form, ...]) -> Entry:
    ended = (before + drawn + ("" if drawn.endswith(_END) else r"(?:\b|[=-])") for before, drawn, *_ in forms)
    hints = (rf"\b{before}{_DRAWN}" if before else first[0] for before, _, *first in forms)
    return Entry(
        name, "secret", f"keys and tokens of {finds}", rf"\b(?:{'|'.join(ended)})", issued, f"(?:{'|'.join(hints)})"
    )


ENTRIES: Final = (
    _forms("code_host_token", "places that host code", _CODE),
    _forms("package_token", "package registries", _PACKAGES),
    _forms("cloud_key", "clouds and hosts", _CLOUDS),
    _forms("deployment_token", "vaults, pipelines and infrastructure", _DEPLOYING),
    _forms("monitoring_key", "monitoring", _WATCHING),
    _forms("model_host_key", "hosts of models and what belongs to them", _MODELS),
    _forms("database_token", "hosted databases", _DATA),
    _forms("payment_key", "payment and shops", _PAYING),
    _forms("workplace_key", "offices, design, maps and social media", _WORKING),
    _forms("mail_key", "mail and text messages", _MAIL),
)
