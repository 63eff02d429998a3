"""Every failure onefold can name: one family, stable codes, the same on every door.

A code, once published, keeps its meaning; `CODES` is the only place where one is made. What a caller has to expect is a
`Problem`, a value; what stops a caller is an `OnefoldError`, which carries one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

import msgspec


class Exit(IntEnum):
    """What the command line ends with: one number for each kind of answer a script may want to tell apart."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    INPUT = 3
    NOT_FOUND = 4
    CONFLICT = 5
    STORE = 6
    SETTINGS = 7
    BUSY = 8


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, in one sentence, and how the command line and HTTP say it."""

    meaning: str
    exit: Exit
    http_status: int


CODES: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "body.invalid_json": Code("The body is not JSON.", Exit.INPUT, 400),
        "body.too_deep": Code("The body nests deeper than onefold reads.", Exit.INPUT, 400),
        "body.too_large": Code("The body has more bytes, or more events, than is allowed.", Exit.INPUT, 413),
        "body.too_slow": Code("The body did not come to its end in time.", Exit.INPUT, 408),
        "body.unsupported_media_type": Code("The body is not sent as application/json.", Exit.INPUT, 415),
        "call.invalid": Code("The command was called wrongly.", Exit.USAGE, 400),
        "computed.invalid": Code("The file of computed traits has a mistake.", Exit.SETTINGS, 500),
        "copy.differs": Code("The copy does not hold what its source does.", Exit.STORE, 503),
        "copy.source_moved": Code("The source was written to while it was copied.", Exit.BUSY, 503),
        "copy.target_not_empty": Code(
            "The target of the copy holds something else than an unfinished copy of the source.", Exit.CONFLICT, 409
        ),
        "customer.not_found": Code("No customer has this id.", Exit.NOT_FOUND, 404),
        "event.ambiguous": Code(
            "The event names more values of a namespace than one customer may hold.", Exit.INPUT, 400
        ),
        "event.invalid": Code("A field of the event is missing or has the wrong type or form.", Exit.INPUT, 400),
        "event.message_id_missing": Code(
            "The event has neither a message id nor a timestamp to make one from.", Exit.INPUT, 400
        ),
        "event.message_id_reused": Code(
            "The message id was used before, with other content; the first event stays.", Exit.CONFLICT, 409
        ),
        "event.no_identifier": Code("The event has no identifier that can be used.", Exit.INPUT, 400),
        "event.time_out_of_range": Code(
            "The event happened before 1970 or more than a day in the future.", Exit.INPUT, 400
        ),
        "event.too_large": Code("The event alone has more bytes than is allowed.", Exit.INPUT, 413),
        "event.too_many_identifiers": Code("The event names more than 12 identifiers.", Exit.INPUT, 400),
        "event.value_dropped": Code(
            "A value of the event is not what its field holds and was dropped; the rest of the event counts.",
            Exit.INPUT,
            400,
        ),
        "file.invalid": Code("The file is not what it is called, or cannot be taken apart.", Exit.INPUT, 400),
        "identifier.blocked": Code(
            "The value stands for nobody (empty, `null`, `unknown`, `test`, …) and was dropped.", Exit.INPUT, 400
        ),
        "identifier.malformed": Code(
            "The value is too long, holds control characters, or is not what its namespace holds.", Exit.INPUT, 400
        ),
        "identifier.not_found": Code("No event has named this identifier.", Exit.NOT_FOUND, 404),
        "identifier.unknown_namespace": Code("No such namespace is declared.", Exit.INPUT, 400),
        "ingest.queue_full": Code("More events are waiting than onefold takes; send them again.", Exit.BUSY, 429),
        "ingest.stopping": Code("onefold is shutting down and takes no more events.", Exit.BUSY, 503),
        "internal": Code("Something went wrong that onefold has no name for; this is a bug.", Exit.INTERNAL, 500),
        "judgement.contradicts": Code("The judgement contradicts judgements that stand.", Exit.CONFLICT, 409),
        "judgement.not_found": Code("No judgement has this id.", Exit.NOT_FOUND, 404),
        "judgement.one_identifier": Code("The judgement names one identifier twice.", Exit.INPUT, 400),
        "judgement.unknown_identifier": Code(
            "The judgement names an identifier that no event has named.", Exit.NOT_FOUND, 404
        ),
        "key.exists": Code("There is a key of this name already.", Exit.CONFLICT, 409),
        "key.forbidden": Code("The key may not do this.", Exit.INPUT, 403),
        "key.missing": Code("The request has no key.", Exit.INPUT, 401),
        "key.not_found": Code("There is no key of this name.", Exit.NOT_FOUND, 404),
        "key.unknown": Code("The request has a key that is none of ours.", Exit.INPUT, 401),
        "mapping.invalid": Code("The mapping of a table has a mistake, or does not fit the table.", Exit.INPUT, 400),
        "namespaces.invalid": Code("The namespaces file has a mistake.", Exit.SETTINGS, 500),
        "query.bad_cursor": Code("The cursor cannot be one that this list gave out.", Exit.INPUT, 400),
        "query.bad_reference": Code("The id or reference has no form onefold knows.", Exit.INPUT, 400),
        "query.invalid": Code(
            "The query is not GraphQL that onefold answers, or its arguments contradict each other.", Exit.INPUT, 400
        ),
        "query.page_too_large": Code("The page asked for is larger than is allowed.", Exit.INPUT, 400),
        "query.too_complex": Code(
            "The query has more tokens, aliases, directives or choices than is allowed, or costs more; or its answer "
            "has more rows.",
            Exit.INPUT,
            400,
        ),
        "query.too_deep": Code("The query nests deeper than is allowed.", Exit.INPUT, 400),
        "rates.invalid": Code("The file of currency rates has a mistake.", Exit.SETTINGS, 500),
        "request.forbidden_origin": Code(
            "The request comes from a host or a web page that is not allowed to ask.", Exit.INPUT, 403
        ),
        "request.method_not_allowed": Code("This path does not take requests of this method.", Exit.INPUT, 405),
        "request.not_found": Code("Nothing is served at this path.", Exit.NOT_FOUND, 404),
        "schema.missing": Code("A file of `graph_schema` is missing; the installation is broken.", Exit.SETTINGS, 500),
        "segment.cycle": Code("The segment would depend on itself.", Exit.CONFLICT, 409),
        "segment.exhausted": Code("The rule takes longer, or more memory, than it may.", Exit.INPUT, 400),
        "segment.invalid": Code("The rule of the segment has a mistake.", Exit.INPUT, 400),
        "segment.mixed_currencies": Code(
            "The rule would add up amounts in several currencies; it has to name one.", Exit.INPUT, 400
        ),
        "segment.exists": Code("There is a segment of this name already.", Exit.CONFLICT, 409),
        "segment.in_use": Code("The rules of other segments name the segment.", Exit.CONFLICT, 409),
        "segment.not_found": Code("No segment has this id.", Exit.NOT_FOUND, 404),
        "segment.unknown_name": Code("The rule names something that no event has named yet.", Exit.INPUT, 400),
        "settings.invalid": Code("A setting is unknown or has a value that cannot be used.", Exit.SETTINGS, 500),
        "socket.too_many": Code("As many connections over WebSocket are open as may be.", Exit.BUSY, 503),
        "sql.exhausted": Code("The question takes longer, or more memory, than it may.", Exit.INPUT, 400),
        "sql.invalid": Code("The question is not SQL, or asks for something else than the views.", Exit.INPUT, 400),
        "store.busy": Code("The store was locked, or all its readers were taken, for too long.", Exit.BUSY, 503),
        "store.forbidden": Code(
            "The store does not let onefold in: user or password are wrong, or lack a right.", Exit.STORE, 503
        ),
        "store.full": Code("There is no room left to write; reads go on.", Exit.STORE, 507),
        "store.newer_schema": Code("The store was written by a newer onefold.", Exit.STORE, 503),
        "store.not_ours": Code("The file is not a onefold store.", Exit.STORE, 503),
        "store.read_only": Code("The store was opened for reading only, or can only be read.", Exit.STORE, 503),
        "store.rules_changed": Code(
            "The store was stitched by other namespace rules than those now declared.", Exit.STORE, 503
        ),
        "store.unavailable": Code("The store cannot be reached or read.", Exit.STORE, 503),
        "store.unfinished_copy": Code("The store is a copy that is not complete.", Exit.STORE, 503),
        "store.unknown_scheme": Code("No store goes by the scheme of this URL.", Exit.SETTINGS, 500),
        "store.unwritable": Code("The store's file or folder cannot be written.", Exit.STORE, 503),
        "subscription.too_many": Code("The connection has as many operations under way as it may.", Exit.BUSY, 429),
        "traits.invalid": Code("The traits file has a mistake.", Exit.SETTINGS, 500),
    }
)


class Problem(msgspec.Struct, frozen=True, gc=False):
    """An outcome a caller has to expect: what happened, what to do about it, and which field it is about."""

    code: str
    message: str
    hint: str | None = None
    field: str | None = None


class OnefoldError(Exception):
    """A failure with a stable code. Raise it with a code of `CODES`; any other is a `ValueError`."""

    def __init__(self, code: str, message: str, hint: str | None = None, field: str | None = None) -> None:
        """`message` is one sentence; `hint` says what to do; `field` names what of the input it is about."""
        if code not in CODES:
            raise ValueError(f"{code!r} is not an error code of onefold")
        super().__init__(code, message, hint, field)
        self.problem: Final = Problem(code, message, hint, field)

    def __str__(self) -> str:
        """One line, as the command line and logs print it."""
        return f"{self.problem.code}: {self.problem.message}"

    @property
    def code(self) -> str:
        """The stable code."""
        return self.problem.code

    @property
    def message(self) -> str:
        """What happened, in one sentence."""
        return self.problem.message

    @property
    def hint(self) -> str | None:
        """What to do about it, if anything can be said."""
        return self.problem.hint

    @property
    def field(self) -> str | None:
        """The field of the input it is about, if one is."""
        return self.problem.field

    @property
    def exit(self) -> Exit:
        """What the command line ends with."""
        return CODES[self.code].exit

    @property
    def http_status(self) -> int:
        """The status with which HTTP answers when the whole request fails."""
        return CODES[self.code].http_status
