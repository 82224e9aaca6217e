"""An address as a shopper writes it into our own form: read as it is, or told what is wrong with it."""

from collections.abc import Collection, Mapping

from storefront.domain.errors import BadInput
from storefront.domain.terms import Recipient

LONGEST = 100
"""Characters of one line of an address."""
NO_POSTAL_CODE = frozenset(
    "AE AG AO AW BF BI BJ BO BS BW BZ CD CF CG CI CM DJ DM ER FJ GA GD GH GM GQ GY HK IE JM KI KM KN"
    " LY ML MO MR MW NR NU QA RW SB SC SL SR ST SY TD TG TK TL TO TT TV UG VU YE ZW".split()
)
"""Countries without postal codes, or where many addresses have none."""
NEEDED = {
    "name": BadInput("Say whom it is for."),
    "line1": BadInput("Say the street and the number."),
    "city": BadInput("Say the town."),
}


class AddressMistakes(Exception):
    """What was wrong, a sentence by field. It never repeats what was written."""

    def __init__(self, mistakes: Mapping[str, BadInput]) -> None:
        super().__init__(", ".join(sorted(mistakes)))
        self.mistakes = dict(mistakes)


def read_recipient(given: Mapping[str, str], countries: Collection[str]) -> Recipient:
    """Whom the goods are sent to. Raises AddressMistakes with all that is wrong.

    Spaces around a line count for nothing; a place is not looked up anywhere.
    """
    names = ("name", "line1", "line2", "postal_code", "city", "state", "country")
    found = {name: given.get(name, "").strip() for name in names}
    mistakes = {name: sentence for name, sentence in NEEDED.items() if not found[name]}
    for name, text in found.items():
        if len(text) > LONGEST:
            mistakes[name] = BadInput("Write it with %(most)s characters at most.", most=LONGEST)
        elif not text.isprintable():
            mistakes[name] = BadInput(
                "Write it without line breaks and other signs that cannot be seen."
            )
    if found["country"] not in countries:
        mistakes["country"] = BadInput("We do not send to this country: choose one of the list.")
    elif not found["postal_code"] and found["country"] not in NO_POSTAL_CODE:
        mistakes["postal_code"] = BadInput("Say the postal code.")
    if mistakes:
        raise AddressMistakes(mistakes)
    return Recipient(**found)
