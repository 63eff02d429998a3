"""A view: all that readers may ask of one state of the store."""

from onefold.store.sqlite.reading.columns import InColumns
from onefold.store.sqlite.reading.copied import Copied
from onefold.store.sqlite.reading.identities import Identities
from onefold.store.sqlite.reading.journeys import Journeys
from onefold.store.sqlite.reading.ledger import Ledger
from onefold.store.sqlite.reading.linked import Linked
from onefold.store.sqlite.reading.search import Search
from onefold.store.sqlite.reading.segments import Segments


class SqliteView(Identities, Linked, Journeys, Ledger, Search, Segments, Copied, InColumns):
    """Answers each method in a constant number of statements, however many things are asked for."""

    __slots__ = ()
