"""Evidence told in a few words: identifiers are written `namespace:value`, times are whole milliseconds."""

from typing import Any

from tests.oracle.evidence import (
    DEFAULT_RULES,
    PUBLIC,
    SERVER,
    Admission,
    Event,
    Evidence,
    Identifier,
    Namespace,
    Rules,
    Verdict,
)
from tests.oracle.journeys import Touchpoint, journeys
from tests.oracle.stitching import Stitched, stitch

# Long enough after the epoch that a day before it is no strange time.
NOW_MS = 1_700_000_000_000


def identifier(text: str) -> Identifier:
    namespace, _, value = text.partition(":")
    return namespace, value


def text(identifier: Identifier) -> str:
    return ":".join(identifier)


class Told:
    """Evidence under construction, and what follows from it as plain texts."""

    def __init__(self, rules: Rules = DEFAULT_RULES, size_limit: int = 10_000) -> None:
        self.evidence = Evidence(rules, size_limit)
        self._sent = 0

    def saw(
        self,
        *identifiers: str,
        at: int | None = None,
        public: bool = False,
        source: str = "",
        received: int | None = None,
        traits: dict[str, Any] | None = None,
        consents: dict[str, bool] | None = None,
        message_id: str = "",
    ) -> Admission:
        """One event, by default one millisecond after the last; times count from NOW_MS."""
        self._sent += 1
        at_ms = NOW_MS + (self._sent if at is None else at)
        received_ms = at_ms if received is None else NOW_MS + received
        return self.evidence.observe(
            Event(
                message_id or f"m{self._sent}",
                source or ("web" if public else "till"),
                PUBLIC if public else SERVER,
                at_ms,
                received_ms,
                tuple(map(identifier, identifiers)),
                traits or {},
                consents or {},
            )
        )

    def judge(self, verdict: Verdict, a: str, b: str) -> bool:
        return self.evidence.judge(verdict, identifier(a), identifier(b))

    def retract(self, verdict: Verdict, a: str, b: str) -> bool:
        return self.evidence.retract(verdict, identifier(a), identifier(b))

    def stitched(self) -> Stitched:
        return stitch(self.evidence)

    def customers(self) -> dict[str, set[str]]:
        """Anchor -> members."""
        found: dict[str, set[str]] = {}
        for member, anchor in self.stitched().customers.items():
            found.setdefault(text(anchor), set()).add(text(member))
        return found

    def refused(self) -> dict[tuple[str, str], str]:
        return {(text(a), text(b)): reason for (a, b), reason in self.stitched().refusals.items()}

    def generic(self, trust: int = PUBLIC) -> set[str]:
        return {text(i) for i in self.stitched().generic[trust]}

    def subjects(self) -> list[str]:
        """Of each accepted event, in order of arrival."""
        return [text(subject) for subject in self.stitched().subjects.values()]

    def journey(self, anchor: str) -> list[Touchpoint]:
        return journeys(self.evidence, self.stitched())[identifier(anchor)]


def unbounded(*names: str) -> dict[str, Namespace]:
    """Namespaces that only link: no limits, nothing that distinguishes."""
    return {name: Namespace(priority) for priority, name in enumerate(names, 1)}
