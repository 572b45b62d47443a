"""Numbers by which states know people: identity, tax, health, passports, driving licences.

Where a check digit is weak or missing, the number counts only where it is called by its name.
"""

from typing import Final

from fairlead.policy.detectors import national_ids as ids
from fairlead.policy.detectors.entry import Check, Entry, named

_FREE = r"[^0-9A-Za-z\n]{0,4}(?:(?:is|number|no|nr|num|id)\b[^0-9A-Za-z\n]{0,4}){0,3}"


def _formed(name: str, finds: str, pattern: str, check: Check, hint: str = "") -> Entry:
    return Entry(name, "national_id", finds, pattern, check, hint)


def _called(name: str, finds: str, names: str, value: str, check: Check, gap: str = _FREE) -> Entry:
    pattern, hint = named(names, value, gap)
    return Entry(name, "national_id", f"{finds}, after such words", pattern, check, hint)


ENTRIES: Final = (
    _formed("us_ssn", "social security numbers of the United States, grouped 3-2-4",
            r"\b\d{3}[ -]\d{2}[ -]\d{4}\b", ids.us_ssn),
    _called("us_ssn_named", "social security numbers of the United States, in any grouping", "ssn|social security",
            r"\d{3}[ .-]?\d{2}[ .-]?\d{4}", ids.us_ssn_named),
    _called("driving_licence", "numbers of driving licences",
            r"driv(?:er|ing)(?:'?s|s')? ?(?:licen[cs]e|permit)|licen[cs]e (?:number|no)",
            r"[A-Z]{0,3}[ -]?\d(?:[ -]?[0-9A-Z]){3,17}", ids.licence, r"[^0-9\n]{0,24}?"),
    _called("passport", "passport numbers", "passport|reisepass|passeport|pasaporte", r"[A-Z]{0,2}\d{5,9}",
            ids.passport),
    _formed("passport_line", "the second line at the foot of a passport",
            r"\b[A-Z0-9][A-Z0-9<]{8}\d[A-Z<]{3}\d{7}[MFX<]\d{7}", ids.passport_line,
            r"\d[A-Z<]{3}\d{7}[MFX<]\d{7}"),
    _called("ca_sin", "social insurance numbers of Canada", "sin|social insurance", r"\d{3}[ -]?\d{3}[ -]?\d{3}",
            ids.ca_sin),
    _formed("br_cpf", "Cadastro de pessoas físicas, Brazil", r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b", ids.br_cpf),
    _formed("cl_rut", "Rol único tributario, Chile", r"\b\d{1,2}\.\d{3}\.\d{3}-[0-9Kk]\b", ids.cl_rut),
    _formed("ar_cuit", "CUIT and CUIL, Argentina", r"\b(?:2[03-7]|3[034])-\d{8}-\d\b", ids.ar_cuit),
    _formed("mx_curp", "Clave única de registro de población, Mexico",
            r"\b[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d\b", ids.mx_curp),
    _formed("de_tax_id", "Steuer-Identifikationsnummer, Germany", r"\b[1-9]\d(?: \d{3} \d{3} \d{3}|\d{9})\b",
            ids.de_tax_id),
    _called("nl_bsn", "Burgerservicenummer, Netherlands", "bsn|burgerservicenummer|sofinummer", r"\d{9}", ids.nl_bsn),
    _formed("es_dni", "DNI and NIE, Spain", r"\b(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]\b", ids.es_dni, r"\d{7}-?[A-Z]\b"),
    _formed("fr_nir", "Numéro d'inscription au répertoire, France",
            r"\b[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}\b", ids.fr_nir),
    _formed("uk_nino", "National insurance numbers of the United Kingdom",
            r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b", ids.uk_nino),
    _called("uk_nhs", "NHS numbers of the United Kingdom", "nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", ids.uk_nhs),
    _formed("it_codice_fiscale", "Codice fiscale, Italy",
            r"(?i)\b[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]\b", ids.it_codice_fiscale,
            r"(?i)\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]\b"),
    _formed("ch_ahv", "AHV and AVS numbers, Switzerland", r"\b756\.\d{4}\.\d{4}\.\d{2}\b", ids.ch_ahv),
    _formed("be_national_number", "Rijksregisternummer, Belgium", r"\b\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}\b",
            ids.be_national_number),
    _formed("se_personnummer", "Personnummer, Sweden", r"\b\d{6}[-+]\d{4}\b", ids.se_personnummer),
    _formed("no_fodselsnummer", "Fødselsnummer, Norway", r"\b[0-7]\d[01]\d{3} ?\d{5}\b", ids.no_fodselsnummer),
    _formed("fi_hetu", "Henkilötunnus, Finland", r"\b\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]\b", ids.fi_hetu),
    _called("dk_cpr", "CPR numbers, Denmark", "cpr", r"\d{6}-?\d{4}", ids.dk_cpr),
    _called("pl_pesel", "PESEL, Poland", "pesel", r"\d{11}", ids.pl_pesel),
    _called("pt_nif", "NIF, Portugal", "nif|contribuinte", r"\d{3} ?\d{3} ?\d{3}", ids.pt_nif),
    _formed("cz_rodne_cislo", "Rodné číslo, Czechia and Slovakia", r"\b\d{6}/\d{4}\b", ids.cz_rodne_cislo),
    _called("ro_cnp", "Cod numeric personal, Romania", "cnp", r"[1-9]\d{12}", ids.ro_cnp),
    _called("tr_tckn", "Kimlik numarası, Türkiye", r"tckn|kimlik(?: no)?", r"[1-9]\d{10}", ids.tr_tckn),
    _formed("in_aadhaar", "Aadhaar, India", r"\b[2-9]\d{3}[ -]\d{4}[ -]\d{4}\b", ids.in_aadhaar),
    _formed("in_pan", "permanent account numbers, India", r"\b[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]\b", ids.licence,
            r"[A-Z]\d{4}[A-Z]\b"),
    _formed("cn_resident_id", "resident identity numbers, China", r"\b[1-8]\d{5}(?:19|20)\d{9}[0-9Xx]\b",
            ids.cn_resident_id),
    _formed("kr_rrn", "resident registration numbers, Korea", r"\b\d{6}-[1-8]\d{6}\b", ids.kr_rrn),
    _formed("tw_id", "identity numbers, Taiwan", r"\b[A-Z][1289]\d{8}\b", ids.tw_id),
    _formed("hk_id", "identity cards, Hong Kong", r"\b[A-Z]{1,2}\d{6}\([0-9A]\)", ids.hk_id),
    _formed("sg_nric", "NRIC and FIN, Singapore", r"\b[STFG]\d{7}[A-Z]\b", ids.sg_nric),
    _formed("za_id", "identity numbers, South Africa", r"\b\d{10}[01][89]\d\b", ids.za_id),
    _called("au_tfn", "tax file numbers, Australia", "tfn|tax file", r"\d{3}[ -]?\d{3}[ -]?\d{3}", ids.au_tfn),
    _called("au_medicare", "Medicare cards, Australia", "medicare(?: card)?",
            r"\d{4}[ -]?\d{5}[ -]?\d(?:[ /-]?\d)?", ids.au_medicare),
)  # fmt: skip
