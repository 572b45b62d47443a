"""Words that a template has where a name is to be written: no supplier is called so."""

import re
from typing import Final

from fairlead.documents.labels import known_label
from fairlead.documents.layout import folded

_WORDS: Final = """
street, street name, street address, your address, company address, business address, mailing address, address,
address line, city, town, state, province, county, country, city state, city state zip, city st zip, city state zip
code, city st zip code, zip, zip code, postcode, postal code, name, full name, first name, last name, contact name,
company, company name, business, business name, organisation, organisation name, organization, organization name,
phone number, email address, logo, company logo, logo here, slogan, company slogan, tagline, placeholder, firmenname,
firma, strasse, strasse hausnummer, strasse nr, plz ort, ort, adresse, anschrift, nom de l entreprise, nom de la
societe, nom de societe, raison sociale, rue, ville, code postal, code postal ville, bedrijfsnaam, straatnaam, straat,
postcode plaats, plaats, adres, nombre de la empresa, nombre empresa, direccion, ciudad, codigo postal, nome azienda,
nome dell azienda, ragione sociale, indirizzo, citta, nome da empresa, endereco, cidade, nazwa firmy, ulica, miasto,
foretagsnamn, firmanavn, yrityksen nimi,
germany, deutschland, allemagne, austria, osterreich, switzerland, schweiz, suisse, france, frankreich, belgium,
belgique, belgie, netherlands, the netherlands, nederland, niederlande, luxembourg, luxemburg, spain, espana, portugal,
italy, italia, poland, polska, sweden, sverige, denmark, danmark, norway, norge, finland, suomi, ireland, irland,
united kingdom, great britain, england, scotland, wales, united states, united states of america, usa, canada,
australia, new zealand, india, czech republic, ceska republika, hungary, magyarorszag, romania
"""
_PLACEHOLDERS: Final = frozenset(each.strip() for each in _WORDS.replace("\n", " ").split(","))
_ASKING: Final = re.compile(
    r"lorem ipsum\b|(?:your|ihre?|votre|uw|jouw|su|tu|vostra|tua|sua) (?:\w+ )?"
    r"(?:company|business|firm|organi[sz]ation|name|logo|street|city|slogan|firma|firmenname|unternehmen|logo|entreprise|societe"
    r"|bedrijf|bedrijfsnaam|empresa|azienda)\b"
    r"|(?:enter|insert|add|type) (?:\w+ )*(?:name|address|logo|here)\b"
)
"""Beginnings of what asks its reader to write something else there."""


def is_placeholder(text: str) -> bool:
    """Whether a text is a label, or what a template has in the place of a name, in brackets or not."""
    words = tuple(re.findall(r"[^\W_]+", folded(text)))
    said = " ".join(words)
    return said in _PLACEHOLDERS or bool(known_label(words)) or _ASKING.match(said) is not None
