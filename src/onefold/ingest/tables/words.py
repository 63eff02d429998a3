"""What columns are called in the wild, in a few languages, brought down to letters and digits in lower case."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

YES: Final = frozenset({"true", "t", "yes", "y", "1", "x", "on", "ja", "j", "wahr", "oui", "vrai", "sí", "si"})
NO: Final = frozenset({"false", "f", "no", "n", "0", "off", "nein", "falsch", "non", "faux"})

NAMESPACES: Final[Mapping[str, frozenset[str]]] = {
    "user_id": frozenset({"userid", "user", "accountid", "account", "login", "memberid", "benutzerid", "uid"}),
    "crm_id": frozenset(
        {"crmid", "customerid", "customerno", "customernumber", "customer", "contactid", "contactno", "clientid"}
        | {"clientno", "leadid", "recordid", "kundennummer", "kundennr", "kundenid", "kontaktid", "debitor"}
        | {"numeroclient", "idclient", "idcliente"}
    ),
    "loyalty_card": frozenset({"loyaltycard", "loyaltyid", "loyaltyno", "cardno", "cardnumber", "kartennummer"}),
    "email": frozenset({"email", "emailaddress", "mail", "mailaddress", "emailadresse", "mailadresse", "courriel"}),
    "phone": frozenset(
        {"phone", "phonenumber", "telephone", "tel", "mobile", "mobilephone", "mobilenumber", "cell", "cellphone"}
        | {"telefon", "telefonnummer", "handy", "mobil", "mobiltelefon", "telefono", "portable"}
    ),
    "anonymous_id": frozenset({"anonymousid", "visitorid", "cookieid", "cookie", "clientcookie"}),
    "device_id": frozenset({"deviceid", "device", "installationid"}),
    "staff_id": frozenset({"staffid", "staff", "clerk", "clerkid", "agent", "agentid", "employeeid", "kassierer"}),
}
"""By the names of the namespaces that onefold comes with."""

SERVING: Final = (
    *(
        "owner",
        "manager",
        "agent",
        "rep",
        "sales",
        "staff",
        "assigned",
        "createdby",
        "modifiedby",
        "updatedby",
        "clerk",
    ),
    *("betreuer", "berater", "bearbeiter", "verkaufer", "referrer", "sender"),
)
"""Parts of the names of columns that tell of whoever served a customer."""

RECORD_IDS: Final = ("id", "number", "no", "nr", "nummer", "key")
"""What numbers the rows of a table of people, where it is called no more than that."""
ROW_IDS: Final = (
    "messageid",
    "eventid",
    "orderid",
    "orderno",
    "ordernumber",
    "transactionid",
    "bestellnummer",
    *RECORD_IDS,
)
EVENTS: Final = ("event", "eventname", "action", "activity", "aktion", "ereignis")
"""A table with such a column is one of events."""

CHANGED: Final = (
    *("updatedat", "updated", "modifiedat", "modified", "lastmodified", "lastmodifieddate", "lastmodifiedat"),
    *("changedat", "changed", "lastchanged", "lastupdate", "lastupdated", "systemmodstamp"),
    *("geandertam", "geandert", "anderungsdatum", "letzteanderung", "modifiele"),
)
HAPPENED: Final = (
    *("timestamp", "time", "datetime", "date", "occurredat", "happenedat", "eventtime", "orderedat", "orderdate"),
    *("zeit", "zeitpunkt", "datum", "createdat", "created", "createddate", "erstelltam", "angelegtam"),
)

TRAITS: Final[Mapping[str, frozenset[str]]] = {
    "name": frozenset({"name", "fullname", "customername", "contactname", "displayname"}),
    "first_name": frozenset({"firstname", "givenname", "forename", "vorname", "prenom", "nombre"}),
    "last_name": frozenset({"lastname", "surname", "familyname", "nachname", "familienname", "nom", "apellido"}),
    "company": frozenset({"company", "companyname", "organisation", "organization", "firma", "unternehmen"}),
    "birthday": frozenset({"birthday", "birthdate", "dateofbirth", "dob", "geburtsdatum", "geburtstag"}),
    "created_at": frozenset(
        {"createdat", "created", "createddate", "customersince", "kundeseit", "erstelltam", "angelegtam"}
    ),
}
"""By the names that profiles have them under; any other column goes by its own name."""

PROPERTIES: Final[Mapping[str, frozenset[str]]] = {
    "revenue": frozenset({"revenue", "amount", "total", "ordertotal", "ordervalue", "betrag", "umsatz", "montant"}),
    "currency": frozenset({"currency", "currencycode", "wahrung", "devise", "moneda"}),
}
"""The same of what happened."""


def word_of(name: str) -> str:
    """A name without case, accents, blanks and signs."""
    bare = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[\W_]+", "", "".join(letter for letter in bare if not unicodedata.combining(letter)))


def snake(name: str) -> str:
    """A name as traits are named: `Favourite shop` becomes `favourite_shop`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[\W_]+", "_", parted).strip("_").casefold() or "column"


def flag_of(text: str) -> bool | None:
    """What a word says of yes or no; None when it is neither."""
    word = text.casefold()
    return True if word in YES else False if word in NO else None
