"""The detectors that come with Fairlead, one a line.

Patterns follow the public descriptions of the formats; what a pattern cannot tell, a check does. Add one by adding a
line: its name, its category, the pattern, the check, and a hint where the pattern counts far or begins with anything.
"""

from fairlead.labels import DataClass
from fairlead.policy.detectors import checksums
from fairlead.policy.detectors.checksums import Check

# Between the digits of one number: space, dot, hyphens and dashes, no-break and thin spaces, and what cannot be seen.
_SEP = r"[ .\-\u00a0\u00ad\u2007\u2009\u200b\u2010-\u2013\u202f\u2060\ufeff]"
_ASSIGN = r"[\"']?[ \t]{0,3}(?::=|=>|=|:)[ \t]{0,3}[\"'`]?"
_KEY_NAME = (
    r"(?:(?:api|secret|access|private)[_-]?key|client[_-]?secret|(?:auth|access)[_-]?token|secret|token|credentials?)"
)
_EXTENSION = r"(?: ?(?:x|ext\.?) ?\d{1,6})?"
_NANP = rf"(?:\+?1[ .-])?(?:\([2-9]\d{{2}}\) ?|\b[2-9]\d{{2}}[ .-])[2-9]\d{{2}}[ .-]\d{{4}}{_EXTENSION}\b"

# name, category, pattern, check, hint
TABLE: tuple[tuple[str, str, str, Check | None, str], ...] = (
    ("payment_card", "payment_card", rf"\b[1-68]\d{{2}}(?:{_SEP}?\d){{9,16}}\b", checksums.payment_card,
     rf"\b[1-68](?:{_SEP}?\d){{11}}"),
    ("iban", "iban", rf"(?i)\b[A-Z]{{2}}\d{{2}}(?:{_SEP}?[A-Z0-9]){{11,30}}\b", checksums.iban,
     rf"(?i)\b[A-Z]{{2}}\d{{2}}{_SEP}?[A-Z0-9]{_SEP}?[A-Z0-9]{_SEP}?[A-Z0-9]"),
    ("email", "email", r"\b[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b", None,
     r"[A-Za-z0-9._%+-]@[A-Za-z0-9-]"),
    ("phone_international", "phone",
     rf"\B\+[1-9]\d{{0,2}}(?:[ .-]?\(0\))?(?:[ .-]?\(?\d{{1,4}}\)?){{2,7}}{_EXTENSION}\b", checksums.phone,
     r"\+[1-9][0-9 .(-]"),
    ("phone_north_america", "phone", _NANP, checksums.phone, r"\d{3}\)?[ .-]?\d{3}[ .-]\d{4}"),
    ("phone_france", "phone", r"\b0[1-9](?:[ .-]\d{2}){4}\b", checksums.phone, ""),
    ("phone_trunk", "phone", r"(?:\(0[1-9]\d{1,4}\) ?|\b0[1-9]\d{1,4}[ /-])\d{2,4}(?:[ -]\d{2,5}){1,3}\b",
     checksums.phone, r"\b0[1-9]\d{1,4}\)?[ /-]?\d"),
    ("us_ssn", "national_id", r"\b\d{3}[ -]\d{2}[ -]\d{4}\b", checksums.us_ssn, ""),
    ("de_tax_id", "national_id", r"\b[1-9]\d(?: \d{3} \d{3} \d{3}|\d{9})\b", checksums.de_tax_id, ""),
    ("nl_bsn", "national_id", r"(?i)\b(?:bsn|burgerservicenummer|sofinummer)\b[^0-9A-Za-z\n]{0,4}(?P<value>\d{9})\b",
     checksums.nl_bsn, r"(?i)\b(?:bsn|burgerservicenummer|sofinummer)\b"),
    ("es_dni", "national_id", r"\b(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]\b", checksums.es_dni, r"\d{7}-?[A-Z]\b"),
    ("fr_nir", "national_id", r"\b[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}\b", checksums.fr_nir, ""),
    ("uk_nino", "national_id", r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b",
     checksums.uk_nino, ""),
    ("br_cpf", "national_id", r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b", checksums.br_cpf, ""),
    ("in_aadhaar", "national_id", r"\b[2-9]\d{3}[ -]\d{4}[ -]\d{4}\b", checksums.in_aadhaar, ""),
    ("it_codice_fiscale", "national_id", r"(?i)\b[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]\b",
     checksums.it_codice_fiscale, r"(?i)\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]\b"),
    ("ch_ahv", "national_id", r"\b756\.\d{4}\.\d{4}\.\d{2}\b", checksums.ch_ahv, ""),
    ("be_national_number", "national_id", r"\b\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}\b", checksums.be_national_number, ""),
    ("se_personnummer", "national_id", r"\b\d{6}[-+]\d{4}\b", checksums.se_personnummer, ""),
    # Without an end, because a key that is cut off, or longer than foreseen, must not leave a tail.
    ("private_key", "secret",
     r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
     r"(?:[A-Za-z0-9+/=\s\\:,.-]*?-----END [A-Z0-9 ]{0,50}-----|[A-Za-z0-9+/=\s\\:,.-]*)",
     None, "PRIVATE KEY(?: BLOCK)?-----"),
    ("cloud_access_key", "secret", r"\b(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|ABIA|ACCA)[A-Z2-7]{16}\b",
     checksums.issued, ""),
    ("cloud_api_key", "secret", r"\bAIza[0-9A-Za-z_-]{35}", checksums.issued, ""),
    ("cloud_oauth_secret", "secret", r"\b(?:GOCSPX-[0-9A-Za-z_-]{28}|ya29\.[0-9A-Za-z_-]{20,200})",
     checksums.issued, ""),
    ("cloud_client_secret", "secret", r"\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}", checksums.issued,
     r"[0-9]Q~[A-Za-z0-9_~.-]{31}"),
    ("cloud_storage_key", "secret", r"(?i)AccountKey=(?P<value>[A-Za-z0-9+/]{86}==)", None, r"(?i)AccountKey="),
    ("code_host_token", "secret",
     r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}|gl(?:pat|ptt|dt|rt|soat|cbt|imt|ft|agent)-[A-Za-z0-9_.-]{20,100})",
     checksums.issued, r"\b(?:gh[pousr]_|github_pat_|gl(?:pat|ptt|dt|rt|soat|cbt|imt|ft|agent)-)"),
    ("chat_token", "secret", r"\b(?:xox[abeoprs]-[A-Za-z0-9-]{10,200}|xapp-[0-9]-[A-Za-z0-9-]{20,200})",
     checksums.issued,
     r"\b(?:xox[abeoprs]|xapp)-"),
    ("chat_webhook", "secret", r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{20,90}", None,
     r"hooks\.slack\.com"),
    ("payment_key", "secret", r"\b(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,200}", checksums.issued,
     r"\b(?:sk|rk)_(?:live|test|prod)_"),
    ("model_key", "secret", r"\bsk-[A-Za-z0-9_-]{20,250}", checksums.random_token, r"\bsk-[A-Za-z0-9_-]{20}"),
    ("model_hub_token", "secret", r"\bhf_[A-Za-z0-9]{30,60}", checksums.issued, r"\bhf_[A-Za-z0-9]{8}"),
    ("package_token", "secret", r"\b(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,250})",
     checksums.issued, r"\b(?:npm_|pypi-)"),
    ("mail_key", "secret", r"\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}",
     checksums.issued, r"\bSG\.[A-Za-z0-9_-]{8}"),
    ("hosting_token", "secret", r"\bdo[opr]_v1_[a-f0-9]{64}", checksums.issued, r"\bdo[opr]_v1_"),
    ("bot_token", "secret", r"\b[0-9]{8,10}:[A-Za-z0-9_-]{35}\b", checksums.random_token,
     r"\b[0-9]{8,10}:[A-Za-z0-9_-]{8}"),
    ("jwt", "secret", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*", None, r"\beyJ[A-Za-z0-9_-]{8}"),
    ("url_password", "secret", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"'<>]{0,64}:(?P<value>[^\s/@\"'<>\[\]]{3,100})@",
     None, r"://[^\s/@\"'<>]{1,166}@"),
    ("bearer_token", "secret", r"(?i)\bbearer\s{1,3}(?P<value>[A-Za-z0-9._~+/-]{20,}={0,2})", checksums.random_token,
     r"(?i)\bbearer\s{1,3}[A-Za-z0-9._~+/-]{20}"),
    ("basic_credentials", "secret",
     r"(?i)\bauthorization[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?basic {1,3}(?P<value>[A-Za-z0-9+/_-]{8,256}={0,2})",
     checksums.issued, r"(?i)\bauthorization[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?basic "),
    ("password_assignment", "secret",
     rf"(?i)(?:password|passwd|passphrase|\bpwd){_ASSIGN}(?P<value>[^\s\"'`,;<>\[\]{{}}()]{{5,128}})",
     checksums.password, r"(?i)(?:password|passwd|passphrase|\bpwd)[\"']?[ \t]{0,3}[:=]"),
    ("key_assignment", "secret", rf"(?i){_KEY_NAME}{_ASSIGN}(?P<value>[A-Za-z0-9+/_.~=-]{{16,250}})",
     checksums.random_token, rf"(?i){_KEY_NAME}[\"']?[ \t]{{0,3}}[:=]"),
)  # fmt: skip

CLASSES: dict[str, DataClass] = {
    "secret": DataClass.restricted,
    "payment_card": DataClass.confidential,
    "national_id": DataClass.confidential,
    "iban": DataClass.confidential,
    "email": DataClass.internal,
    "phone": DataClass.internal,
}
"""The data class that a text with a category has at least. A category that is not here counts as internal."""
