"""A sentence in which each detector finds something, and one that looks like it and is nothing."""

import random
import string

import pytest

from fairlead.policy import RulesFile, compile_policy
from fairlead.policy.detectors import ENTRIES
from fairlead.policy.detectors.detector import built_in

DETECTORS = {each.name: each for each in built_in()}

# Put together at run time: no scanner of source code shall take them for keys that were lost.
HEX = "9f3a7c51e8b24d06"
WORD = "q7Rk2Vx9Lm4Tz8Bn"

SENTENCES = {
    "payment_card": ("pay 4111 1111 1111 1111 now", "pay 4111 1111 1111 1112 now"),
    "iban": ("to DE89 3704 0044 0532 0130 00", "to DE88 3704 0044 0532 0130 00"),
    "bank_account": ("my account number is 12345678", "my account number is 1111111"),
    "us_routing": ("routing number 021000021", "routing number 021000022"),
    "bitcoin_address": ("to 1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "to 1BoatSLRHtKNngkdXEeobR76b53LETtpyU"),
    "segwit_address": (
        "to bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "to bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
    ),
    "ethereum_address": ("to 0x" + "52908400098527886E0F7030069857D2E4169EE7", "to 0x" + "0" * 40),
    "email": ("mail ann@example.org", "mail ann@example"),
    "phone_international": ("at +49 30 901820", "at +49 30"),
    "phone_north_america": ("at (212) 555-0187", "at (212) 555-01"),
    "phone_france": ("au 01 42 68 53 00", "au 01 42 68 53"),
    "phone_trunk": ("at (02) 6123 4567", "at (02) 61"),
    "phone_dialled": ("at 0049 30 9018 2044", "at 0049 3"),
    "phone_announced": ("Mobile: 723 813 266", "phone support since 2024-01-15"),
    "phone_marked": ("21 253 109 8211-fax", "1999-2024 office"),
    "ipv4_address": ("from 93.184.216.34", "section 1.2.3.4"),
    "ipv6_address": ("from 2001:4860:4860::8888", "from 2001:zz"),
    "mac_address": ("card 00:1A:2B:3C:4D:5E", "time 00:1A:2B"),
    "url": ("see https://example.org/a.", "see https://localhost"),
    "guessed_name": ("Dear Ms. Vera Quill,", "Dear Team, the name of the rose"),
    "date_of_birth": ("born on 6/24/1991", "born on 45/24/1991"),
    "us_ssn": ("is 123-45-6789", "is 666-45-6789"),
    "us_ssn_named": ("SSN: 123456789", "SSN: 666456789"),
    "driving_licence": ("my driver's license is D1234567", "my driver's license is new"),
    "passport": ("passport number C01234567", "passport number 12"),
    "passport_line": ("L898902C36UTO7408122F1204159ZE184226B<<<<<10", "L898902C35UTO7408122F1204159ZE184226B<<<<<10"),
    "ca_sin": ("SIN 130 692 544", "SIN 130 692 545"),
    "br_cpf": ("CPF 529.982.247-25", "CPF 529.982.247-26"),
    "cl_rut": ("RUT 12.345.678-5", "RUT 12.345.678-6"),
    "ar_cuit": ("CUIT 20-12345678-6", "CUIT 20-12345678-5"),
    "mx_curp": ("CURP HEGG560427MVZRRL04", "CURP HEGG560427MVZRRL05"),
    "de_tax_id": ("IdNr 86095742719", "IdNr 86095742718"),
    "nl_bsn": ("BSN 111222333", "BSN 111222334"),
    "es_dni": ("DNI 12345678Z", "DNI 12345678A"),
    "fr_nir": ("NIR 1 84 12 76 451 089 46", "NIR 1 84 12 76 451 089 47"),
    "uk_nino": ("NI AB123456C", "NI GB123456C"),
    "uk_nhs": ("NHS 943 476 5919", "NHS 943 476 5918"),
    "it_codice_fiscale": ("CF RSSMRA85T10A562S", "CF RSSMRA85T10A562T"),
    "ch_ahv": ("AHV 756.9217.0769.85", "AHV 756.9217.0769.84"),
    "be_national_number": ("RN 85.07.30-033.28", "RN 85.07.30-033.29"),
    "se_personnummer": ("PN 811228-9874", "PN 811328-9873"),
    "no_fodselsnummer": ("fnr 01010750160", "fnr 01010750161"),
    "fi_hetu": ("HETU 131052-308T", "HETU 131052-308U"),
    "dk_cpr": ("CPR 070761-4285", "CPR 071361-4285"),
    "pl_pesel": ("PESEL 44051401359", "PESEL 44051401358"),
    "pt_nif": ("NIF 123456789", "NIF 123456780"),
    "cz_rodne_cislo": ("RC 736028/5163", "RC 736028/5164"),
    "ro_cnp": ("CNP 1800101221144", "CNP 1800101221145"),
    "tr_tckn": ("TCKN 10000000146", "TCKN 10000000147"),
    "in_aadhaar": ("no 2341 2341 2346", "no 2341 2341 2347"),
    "in_pan": ("PAN ABCPE1234F", "PAN ABCXE1234F"),
    "cn_resident_id": ("id 11010519491231002X", "id 110105194912310021"),
    "kr_rrn": ("RRN 800101-1234567", "RRN 801301-1234567"),
    "tw_id": ("id A123456789", "id A123456788"),
    "hk_id": ("HKID A123456(3)", "HKID A123456(4)"),
    "sg_nric": ("NRIC S1234567D", "NRIC S1234567E"),
    "za_id": ("id 8001015009087", "id 8001015009088"),
    "au_tfn": ("TFN 123 456 782", "TFN 123 456 783"),
    "au_medicare": ("Medicare 2123 45670 1", "Medicare 2123 45671 1"),
    "private_key": (
        "-----BEGIN " + "PRIVATE KEY-----\n" + HEX * 3 + "\n-----END PRIVATE KEY-----",
        "-----BEGIN " + "PRIVATE KEY-----\nhere\n-----END PRIVATE KEY-----",
    ),
    "jwt": ("eyJhbGciOiJI" + ".eyJzdWIiOiIx.c2ln", "eyJhbGciOiJI is a beginning"),
    "jwt_encoded": ("ZXlK" + WORD * 4, "ZXlK" + WORD),
    "cloud_client_secret": ("abc7Q~" + WORD * 2, "abc7Q~" + "~" * 33),
    "cloud_storage_key": ("AccountKey=" + (WORD * 6)[:86] + "==", "AccountKey=" + WORD),
    "cloud_model_key": ("ABSK" + WORD * 8 + "=", "ABSK" + WORD),
    "model_key": ("sk-" + WORD * 2, "sk-" + "your-key-here-please-now"),
    "model_hub_token": ("hf_" + "aBcXyZqRtW" * 4, "hf_" + "x" * 34),
    "vault_token": ("s." + WORD + "a1B2c3D4", "s.createSomethingVeryLongOf"),
    "chat_token": ("xoxb-" + "1234-9876-" + WORD, "xoxb-" + "x" * 20),
    "chat_webhook": ("hooks.slack.com/services/" + WORD * 2, "hooks.slack.com/docs"),
    "bot_token": ("12345678:A" + (WORD * 3)[:34], "12345678:A" + "a" * 34),
    "dashboard_token": ("glc_" + WORD * 2, "glc_" + "1" * 40),
    "url_password": ("postgres://app:s3cr3t@db", "postgres://user:password@db"),
    "bearer_token": ("Bearer " + WORD * 2, "Bearer of " + "bad news to the whole company"),
    "basic_credentials": ("Authorization: Basic " + WORD, "Authorization: Basic " + "xxxxxxxxxxxx"),
    "header_secret": ('-H "X-Token: ' + WORD + '"', '-H "X-Token: $TOKEN_VALUE"'),
    "user_option": ("curl -u ann:h0pk1ns~21", "curl -u ann:token"),
    "password_option": ("--password h0pk1ns~21", "--password $PASSWORD"),
    "password_assignment": ("password: hunter2!x", "password: self.get_password"),
    "quoted_password": ('password = "FirstSecond"', 'password = "changeme1"'),
    "password_attribute": ('key="Password" value="Clear1"', 'key="Password" value="word"'),
    "password_sentence": ("the password is hunter2x", "the password is expired"),
    "key_assignment": ("api_key=" + HEX, "public_key_id=" + HEX),
    "quoted_secret": ('secret_key = "' + "sk#" + WORD + '"', 'secret_key = "' + "a-plain-phrase-of-words" + '"'),
    "key_sentence": (f"use this key until Friday: {WORD} thanks", "the key question is internationalisation-first"),
    "host_credentials": ("BUNDLE_GEMS__EXAMPLE__COM=ann:h0pk1ns", "BUNDLE_WITHOUT=a:b"),
    "cluster_secret": (
        "kind: Secret\ntype: Opaque\ndata:\n  password: UyFCXCpkJHpEc2I9\n",
        "kind: Secret\ntype: Opaque\ndata:\n  note: none\n",
    ),
    "code_host_token": ("ghp_" + (WORD * 3)[:36], "ghp_" + "x" * 36),
    "package_token": ("npm_" + (WORD * 3)[:36], "npm_" + "config_registry_mirror_of_everything"),
    "cloud_key": ("AKIA" + "QWERTYUIOPASDFGH", "AKIA" + "IOSFODNN7EXAMPLE"),
    "deployment_token": ("sha256~" + (WORD * 3)[:43], "sha256~" + "x" * 43),
    "monitoring_key": ("NRAK-" + (WORD * 2)[:27], "NRAK-" + "1" * 27),
    "model_host_key": ("pplx-" + WORD * 3, "pplx-" + "a" * 48),
    "database_token": ("dapi" + HEX * 2, "dapi" + "0" * 32),
    "payment_key": ("sk_live_" + WORD, "sk_live_" + "xxxxxxxxxxxx"),
    "workplace_key": ("lin_api_" + (WORD * 3)[:40], "lin_api_" + "x" * 40),
    "mail_key": ("key-" + HEX * 2, "key-" + "1" * 32),
}


def found(name: str, text: str) -> list[str]:
    data = text.encode()
    return [data[low:high].decode() for _, low, high in DETECTORS[name].locate(data, 0, len(data) + 1)[0]]


def test_every_detector_has_its_sentences() -> None:
    assert set(SENTENCES) == {each.name for each in ENTRIES}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_detector_finds_what_is_there_and_leaves_what_looks_like_it(name: str) -> None:
    there, alike = SENTENCES[name]
    assert found(name, there)
    assert not found(name, alike)


def test_the_public_half_and_the_names_of_keys_are_no_secrets() -> None:
    policy = compile_policy({})
    for name in ("public_key", "primaryKey", "key_id", "csrf_token", "tokenType", "secret_name", "keyVersion"):
        assert policy.detect_text(f'"{name}": "{WORD}"').found == (), name
    for name in ("api_key", "clientSecret", "token1", "API_KEY_PROD", "some_secret", "credentials"):
        assert policy.detect_text(f'"{name}": "{WORD}"').labels.categories == {"secret"}, name


def test_addresses_of_pages_are_found_where_a_workspace_asks_for_it() -> None:
    text = "see https://example.org/a."
    assert compile_policy({}).detect_text(text).found == ()
    asked = compile_policy({}, (), {"rules/a.yaml": RulesFile(also=("url",))})
    (one,) = asked.detect_text(text).found
    assert text[one.start : one.end] == "https://example.org/a"


@pytest.mark.parametrize("form", ["key = '{}'", "API_KEY={}", "token: {}", '{{"fooKey": "{}"}}', "the key is {} now"])
def test_nearly_all_that_a_machine_may_draw_is_taken_for_drawn(form: str) -> None:
    policy, rng = compile_policy({}), random.Random(7)
    for alphabet, length in ((string.hexdigits[:16], 32), (string.ascii_lowercase + string.digits, 24)):
        drawn = ["".join(rng.choices(alphabet, k=length)) for _ in range(100)]
        assert sum("secret" in policy.detect_text(form.format(each)).labels.categories for each in drawn) >= 97


@pytest.mark.parametrize(
    "piece",
    ["key ", "token: a", "call me ", "1 2 3 ", "--user a:", "password is ", "kind: secret\n", "born ", "http://a:",
     "A" * 30 + " ", "4111 ", "data:\n a: b\n", "-H \"token: ", "sk-", "a_key_", "ghp_aaaa",
     "glc_aa", "ZXlKaaaa", "-----BEGIN PRIVATE KEY-----", "ABSKa", "xoxb-a", "Bearer a", "hvs.a", "eyJaaaaaaaa."],
)  # fmt: skip
def test_near_matches_without_end_take_time_that_grows_with_their_number(piece: str) -> None:
    policy = compile_policy({})
    policy.detect_text(piece * (60_000 // len(piece)))
