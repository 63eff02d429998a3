"""What the lines that a turn added to the ledger must say of it, sound and complete."""

import networkx as nx

from onefold.model.changes import Decision, DecisionKind
from onefold.stitch.rules import NO_TRUST
from tests.oracle.evidence import TRUSTS, Identifier, Pair
from tests.oracle.stitching import Stitched
from tests.property.agreement import named
from tests.property.playing import Expected, Player
from tests.property.strategies import Judge, Retract

TURNING_DOWN = (DecisionKind.REFUSED, DecisionKind.SPLIT)
OF_ONE_LINK = (DecisionKind.JOINED, DecisionKind.REFUSED, DecisionKind.RELEASED)


class Told:
    """The lines of one turn, and what the oracle says of the time before and after it."""

    def __init__(self, player: Player, before: Stitched, after: Expected) -> None:
        self.player, self.lines = player, player.told
        self.before, self.after, self.expected = before, after.stitched, after

    def check(self) -> None:
        """All that must hold."""
        self.check_form()
        self.check_joins()
        self.check_splits()
        self.check_refusals()
        self.check_generic()
        self.check_judgements()

    def of(self, kind: DecisionKind) -> list[Decision]:
        return [line for line in self.lines if line.kind is kind]

    def names(self, numbers: tuple[int, ...]) -> list[Identifier]:
        return [named(self.player.store.identifiers[number]) for number in numbers]

    def check_form(self) -> None:
        """Everything named is there; what events brought about has causes, of a new link those that carry it."""
        for line in self.lines:
            customers, identifiers = self.names(line.customers), self.names(line.identifiers)
            assert customers, line
            assert identifiers, line
            assert {*customers, *identifiers} <= self.after.customers.keys()
            assert len(set(customers)) == len(customers), f"{line} names a customer twice"
            causes = [self.player.causes[place] for place in line.causes]
            if line.kind in OF_ONE_LINK and line.link is not None:
                assert line.link in self.player.store.links
                ends = {(line.link >> 32), (line.link & 0xFFFFFFFF)}
                assert set(line.identifiers) == ends
                keys = {self.player.store.identifiers[end].key for end in ends}
                if line.link not in self.player.older:
                    assert all(keys <= set(cause.keys) for cause in causes), f"{line} was not caused by these"
            assert causes or isinstance(self.expected.turn, Judge | Retract), f"{line} has no cause"

    def check_joins(self) -> None:
        """What is named came together, unless it was parted again; what came together is named."""
        parted = {name for line in self.of(DecisionKind.SPLIT) for name in self.names(line.customers)}
        told: nx.Graph[Identifier] = nx.Graph()
        told.add_nodes_from(self.after.customers)
        for line in self.of(DecisionKind.JOINED):
            into, *others = self.names(line.customers)
            assert others, f"{line} joins nobody"
            nx.add_path(told, [into, *others])
            if not parted:
                assert len({self.after.customers[name] for name in [into, *others]}) == 1, f"{line} did not come about"
        came: dict[Identifier, set[Identifier]] = {}
        for anchor in set(self.before.customers.values()):
            came.setdefault(self.after.customers[anchor], set()).add(anchor)
        for anchors in came.values():
            [first, *others] = sorted(anchors)
            assert all(nx.has_path(told, first, other) for other in others), f"nobody told that {anchors} are one now"

    def check_splits(self) -> None:
        """The parts are customers now, unless later lines speak of them too; who was together and is apart is named."""
        told: nx.Graph[Identifier] = nx.Graph()
        for place, line in enumerate(self.lines):
            names = self.names(line.customers)
            if line.kind in {DecisionKind.SPLIT, DecisionKind.JOINED}:
                nx.add_path(told, names)
            if line.kind is DecisionKind.SPLIT:
                later = {name for further in self.lines[place + 1 :] for name in self.names(further.customers)}
                parts = set(names) - later
                assert len(names) > 1
                assert all(self.after.customers[name] == name for name in parts), f"of {parts} not all are customers"
        parted: dict[Identifier, set[Identifier]] = {}
        for identifier, anchor in self.before.customers.items():
            parted.setdefault(anchor, set()).add(self.after.customers[identifier])
        for parts in parted.values():
            [first, *others] = sorted(parts)
            assert not others or self.of(DecisionKind.SPLIT), f"nobody told that {parts} came apart"
            for other in others:
                assert parts <= told.nodes, f"nobody told of all of {parts}"
                assert nx.has_path(told, first, other), f"nobody told that {parts} came apart"

    def check_refusals(self) -> None:
        """A link that a rule turned down has a line, its own or that of the split it made; a line is true unless
        a later one undoes it."""
        undoing = {
            DecisionKind.REFUSED: {DecisionKind.JOINED, DecisionKind.RELEASED},
            DecisionKind.RELEASED: {DecisionKind.SPLIT},
        }
        for place, line in enumerate(self.lines):
            if line.kind in undoing and not any(later.kind in undoing[line.kind] for later in self.lines[place:]):
                a, b = self.pair(line)
                apart = self.after.customers[a] != self.after.customers[b]
                assert apart == (line.kind is DecisionKind.REFUSED), f"{line} did not come about"
        lines, ever = self.refusing(self.lines), self.refusing(self.player.store.decisions)
        for pair, reason in self.after.refusals.items():
            # What was refused by a rule before it was so as generic may have been told back then.
            was, told = self.before.refusals.get(pair), ever if pair in self.before.refusals else lines
            if reason != "generic" and was in {None, "generic"}:
                assert any(set(pair) <= ends for ends in told), f"nobody told that {pair} is {reason}"

    def refusing(self, lines: list[Decision]) -> list[set[Identifier]]:
        """The ends of the links that these lines say were turned down."""
        return [set(self.names(line.identifiers)) for line in lines if line.kind in TURNING_DOWN]

    def pair(self, line: Decision) -> Pair:
        first, second = sorted(self.names(line.identifiers))
        return first, second

    def check_generic(self) -> None:
        """Whoever became or stopped being generic has one line, and nobody else."""
        changed = {}
        for identifier in self.after.customers:
            was, now = (
                next((trust for trust in TRUSTS if identifier in then.generic[trust]), NO_TRUST)
                for then in (self.before, self.after)
            )
            if was != now:
                changed[identifier] = "generic" if now < was else "not_generic"
        told = [(*self.names(line.identifiers), line.reason) for line in self.of(DecisionKind.GENERIC)]
        assert sorted(told) == sorted(changed.items())

    def check_judgements(self) -> None:
        """A judgement and a retraction that hold are told first."""
        turn = self.expected.turn
        kinds = {Judge: DecisionKind.JUDGED, Retract: DecisionKind.RETRACTED}
        judging = [line for line in self.lines if line.kind in kinds.values()]
        if isinstance(turn, Judge | Retract) and self.expected.admitted:
            assert judging == self.lines[:1]
            [line] = judging
            assert line.kind is kinds[type(turn)]
            assert self.pair(line) == tuple(sorted((turn.a, turn.b)))
        else:
            assert judging == []
