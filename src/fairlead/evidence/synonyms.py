"""Words of business English that mean about the same, and words that exclude each other. Ours, and short: what is not
here counts as different words, which makes the checks doubt rather than believe."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fairlead.models.words import stem_of

_SAME: Final = """
oral orally verbal verbally spoken speech conversation
written writing document documented
tell inform notify notice notification advise announce report
share disclose reveal divulge communicate pass reveal publish
keep retain hold store preserve
destroy erase delete shred
return restore deliver redeliver surrender
end terminate termination expire expiry expiration cease
survive continue remain persist
begin start commence commencement launch
copy duplicate reproduce reproduction replica photocopy
employee staff personnel worker
adviser advisor consultant counsel attorney lawyer accountant
agent representative delegate
contractor subcontractor supplier vendor
customer client buyer purchaser
recipient receiver receiving
discloser disclosing
hire recruit solicit employ engage poach
obtain acquire receive get procure gain
develop create produce devise design
independent independently separately
similar same comparable equivalent identical like
label mark identify designate legend stamp
law statute regulation legislation
court judicial judge tribunal subpoena
government governmental authority agency
require compel oblige oblige mandate
allow permit authorize authorise entitle
forbid prohibit ban bar
right licence license title ownership
purpose use utilise utilize employ
information data
secret confidential proprietary
technical technology technological
person individual people
company firm corporation business enterprise organisation organization
decompile disassemble reverse
pay payment remunerate compensation
price cost charge fee tariff
salary wage pay
buy purchase acquire
sell sale vend
money fund cash capital
refund reimburse reimbursement repay
holiday vacation leave
ill sick illness disease
home house residence dwelling
car vehicle automobile
big large great huge
small little minor tiny
fast quick rapid speedy
rise increase grow raise climb
fall decrease decline drop reduce
win victory defeat beat
war battle conflict fight
kill murder slay assassinate
die death dead decease
bear birth born
found establish create founded
build construct erect
leader head chief director
king monarch ruler
army troop force military
settle settlement colony colonist
land territory area region
country nation state
city town
ancestor descendant ancestry descent
language tongue speak
name call term title known
mean definition define
study research investigate examine
teach education instruct
school university college
student pupil undergraduate
book volume publication
author writer
scholar academic professor
believe belief think consider
want wish desire seek
help aid assist support
show demonstrate prove indicate
important significant major key
reason cause because motive
result effect outcome consequence
problem issue difficulty
answer reply respond response
choose select pick elect
refuse reject deny decline
agree accept consent approve
attack assault raid invade
protect defend guard safeguard
change alter modify amend amendment
annual yearly year
monthly month
daily day
part portion section share
number amount quantity
whole entire total complete
earlier previous prior former
later subsequent following
near close adjacent
often frequent frequently common
church religious religion
protestant calvinist reformed
worker labour labor
trade commerce
oil petroleum
embargo boycott sanction
parcel package shipment
ship send dispatch deliver
manager supervisor boss
deadline due
apply application request
approval authorisation authorization permission consent
laptop computer notebook
password credential
incident outage failure
fix repair mend
meeting appointment
email mail
""".strip().splitlines()

_OPPOSITE: Final = """
increase/decrease increase/decline raise/lower rise/fall rose/fell grow/shrink gain/lose win/lose won/lost first/last
begin/end start/end start/stop open/close before/after early/late earlier/later oldest/newest oldest/youngest old/new
north/south northern/southern east/west eastern/western left/right above/below top/bottom over/under more/less
more/fewer most/least most/fewest highest/lowest higher/lower high/low large/small larger/smaller largest/smallest
major/minor maximum/minimum best/worst better/worse strong/weak stronger/weaker rich/poor fast/slow easy/difficult
easy/hard simple/complex common/rare positive/negative success/failure succeed/fail accept/reject accept/refuse
allow/prohibit allow/forbid permit/forbid permit/prohibit allow/ban approve/reject support/oppose agree/disagree
encourage/discourage include/exclude buy/sell bought/sold import/export enter/leave join/leave arrive/depart
attack/defend friend/enemy ally/enemy allied/enemy peace/war birth/death born/died live/died alive/dead male/female
men/women man/woman king/queen legal/illegal lawful/unlawful public/private domestic/foreign internal/external
inside/outside direct/indirect voluntary/mandatory optional/mandatory optional/required required/prohibited
same/different similar/different true/false prove/disprove possible/impossible finite/infinite upper/lower
liberal/conservative moderate/radical modern/ancient always/never sometimes/never always/rarely all/none every/none
both/neither majority/minority many/few create/destroy build/destroy appoint/dismiss hire/fire expand/reduce
extend/shorten improve/worsen protect/threaten cause/prevent separate/unite independent/dependent victory/defeat
teach/learn sender/receiver lend/borrow prior/after temporary/permanent partial/complete warm/cold hot/cold wet/dry
young/old enabled/disabled enable/disable free/paid paid/unpaid
""".split()  # noqa: SIM905 a paragraph of pairs reads better than a list of strings


def _folded(word: str) -> str:
    return stem_of(word) or word


def _senses() -> dict[str, tuple[int, ...]]:
    senses: dict[str, tuple[int, ...]] = {}
    for number, line in enumerate(_SAME):
        for word in dict.fromkeys(map(_folded, line.split())):
            senses[word] = (*senses.get(word, ()), number)
    return senses


def _opposites() -> dict[str, frozenset[str]]:
    opposites: dict[str, frozenset[str]] = {}
    for pair in _OPPOSITE:
        one, _, other = pair.partition("/")
        for a, b in ((_folded(one), _folded(other)), (_folded(other), _folded(one))):
            opposites[a] = opposites.get(a, frozenset()) | {b}
    return opposites


SENSES: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(_senses())
"""The groups of meaning that a stem is in."""
OPPOSITES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(_opposites())
"""The stems that exclude a stem."""
