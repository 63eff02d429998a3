"""Seeded mistakes, most of them in stitching: what the property tests must find, each by itself.

A mutant is one change of the text of one function. It is put in by compiling the changed module and giving the
functions that differ their new code, in place: whoever imported them has the mistake too. A text that is not there
exactly once is an error, so no mutant can fade away unnoticed.
"""

import importlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType


@dataclass(frozen=True, slots=True)
class Mutant:
    """`text` of onefold.`package`.`module` becomes `changed`."""

    name: str
    module: str
    text: str
    changed: str
    package: str = "stitch"


MUTANTS: tuple[Mutant, ...] = (
    # -- ranks
    Mutant(
        "the trust of a link counts for nothing in its rank",
        "ranks",
        "return trust << TRUST_SHIFT | base",
        "return base",
    ),
    Mutant(
        "the worst source makes a link's trust",
        "ranks",
        "trust = min(trusts[one.source] for",
        "trust = max(trusts[one.source] for",
    ),
    Mutant(
        "sources of every trust date a link",
        "ranks",
        "counting = [one for one in seen if trusts[one.source] == trust]",
        "counting = seen",
    ),
    Mutant("links have no age", "ranks", "base | age", "base"),
    Mutant("the oldest is taken for the newest", "ranks", "max(s.last_ms", "min(s.last_ms"),
    Mutant("a link is dated by its last sighting", "ranks", "OLDEST + min(s.first_ms", "OLDEST + min(s.last_ms"),
    Mutant("what a namespace prefers is ignored", "rules", "n.prefer is Prefer.NEWEST", "False"),
    Mutant("the weaker end counts for nothing in a rank", "rules", "weak.priority << WEAK_SHIFT | ", ""),
    Mutant("the stronger end counts for nothing in a rank", "rules", " | strong.priority << STRONG_SHIFT", ""),
    # -- rules
    Mutant("a limit lets one more in", "rules", "mine + other > limit", "mine + other > limit + 1"),
    Mutant("a limit lets one less in", "rules", "mine + other > limit", "mine + other >= limit"),
    Mutant("weak links may bridge", "rules", "theirs[bridge.slot] and bridge.priority < weak", "False"),
    Mutant("equally strong links may not bridge", "rules", "bridge.priority < weak:", "bridge.priority <= weak:"),
    Mutant(
        "the largest customers are one too large",
        "rules",
        "size + more > self.size_limit",
        "size + more > self.size_limit + 1",
    ),
    # -- who is generic
    Mutant("generic comes one value too early", "rules", "count > most", "count >= most"),
    Mutant("public evidence makes a server's link generic", "rules", "rank >> TRUST_SHIFT >= min(", "NO_TRUST >= min("),
    Mutant("a limit above the fanout is no excuse", "rules", "max(n.fanout, namespaces[m].limit or 0)", "n.fanout"),
    Mutant("nobody turns generic", "observe", "if generic != identifier.generic:", "if False:"),
    Mutant(
        "namespaces of one priority make each other generic",
        "rules",
        "n.priority < namespace.priority]",
        "n.priority <= namespace.priority]",
    ),
    Mutant("values judged the same count twice", "observe", "() if strong.one is None else", "() if True else"),
    Mutant("a better source of a link known is not counted", "observe", "count(work, link, before)", "pass"),
    # -- evidence
    Mutant("earlier sightings do not date a link back", "observe", "if at_ms < seen.first_ms:", "if False:"),
    Mutant("evidence is dated by the event", "observe", "observation.evidence_ms", "observation.at_ms"),
    Mutant("ambiguous events come in", "observe", "values) > rules.limits", "values) > 9 + rules.limits"),
    Mutant("judged values make an event ambiguous", "observe", "row.one or row.id", "row.id"),
    # -- deciding by two ends
    Mutant(
        "a link inside is never looked into", "decide", "if counts[bridge.slot] > 1 and rank <=", "if False and rank <="
    ),
    Mutant(
        "both may have held it late",
        "decide",
        "        if both_held_late(work, left, right, rank, near):",
        "        if False:",
    ),
    Mutant(
        "whatever breaks a rule now broke it then",
        "decide",
        "if near < rank and one.whole[k] < rank and other.whole[k] < rank:",
        "if True:",
    ),
    Mutant(
        "joining raises no bound of a member", "decide", "identifier.joined = max(identifier.joined, bound)", "pass"
    ),
    Mutant(
        "joining raises no bound of a limit",
        "decide",
        "one.whole[k] = max(one.whole[k], other.whole[k], bound)",
        "pass",
    ),
    Mutant("joining forgets what the smaller side held", "decide", "one.size += other.size", "pass"),
    Mutant("the larger side gives the id", "decide", "if (other.anchor_priority, other.anchor) <", "if () <"),
    # -- settling
    Mutant(
        "the elder of all gives the id",
        "settle",
        "key=lambda i: (work.rules.priority[i.key.namespace], i.id)",
        "key=lambda i: i.id",
    ),
    Mutant(
        "the plain order gives the id",
        "settle",
        "work.rules.priority[i.key.namespace], i.id)",
        "work.rules.priority[i.key.namespace], i.key)",
    ),
    Mutant(
        "only the first of a way counts for a bound",
        "settle",
        "bounds[other] = max(bounds[node], rank)",
        "bounds[other] = rank",
    ),
    Mutant("settling does not widen", "settle", "wanted, most = widening.customers, most * 2", "wanted = ()"),
    Mutant("witnesses are not kept", "settle", "        work.decide(link, mark, link.rank or 0)", "        pass"),
    Mutant(
        "who turned generic changes nothing before the links to decide",
        "region",
        "if self.before or not self.work.flipped.keys().isdisjoint(self.identifiers):",
        "if self.before:",
    ),
    Mutant("what is left as it was is not told", "settle", "if not told and link.mark", "if False and link.mark"),
    Mutant("ties are not broken", "region", "return rank, first, second", "return rank, second, first"),
    Mutant(
        "those judged apart may be joined", "region", "if self.apart and self._held_apart(left, right):", "if False:"
    ),
    Mutant("a limit held less of is still a witness", "region", "if count < was.counts[slot]", "if count < 0"),
    Mutant("a bridge gone is still a witness", "region", "was.counts[b.slot] and not now.counts[b.slot]", "False"),
    Mutant(
        "any rule broken today is a witness",
        "widening",
        "if far.joined < place[0] and there.whole[work.rules.whole_at(mark)] < place[0]:",
        "if True:",
    ),
    Mutant(
        "what happens to older links has no cause",
        "ledger",
        "causes_of(self.work, [link]) or self._causes(",
        "causes_of(self.work, [link]) or (lambda *ends: ())(",
    ),
    # -- judgements and subjects
    Mutant("what contradicts is let in", "judging", "    if not against:", "    if True:"),
    Mutant(
        "taking back one of two takes back both", "judging", "    if b.id not in table.get(a.id, ()):", "    if True:"
    ),
    Mutant(
        "counters stay when classes change",
        "judging",
        "    yield from recount(work, one, other, -1 if len(classes) == 1 else 1)",
        "    pass",
    ),
    Mutant(
        "what generic refused stays refused",
        "judging",
        "settle(work, (yield from released(work)), before)",
        "settle(work, [], before)",
    ),
    Mutant("generic ones are subjects", "subjects", "if identifier.generic == NO_TRUST:", "if True:"),
    Mutant("subjects are not set anew", "subjects", "if now.id != was:", "if False:"),
    Mutant("one that is free again is no subject", "subjects", "    if freed:", "    if False:"),
)


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """The mistake is made while the block runs."""
    module = importlib.import_module(f"onefold.{mutant.package}.{mutant.module}")
    source = inspect.getsource(module)
    if source.count(mutant.text) != 1:
        raise LookupError(f"{mutant.name}: {mutant.text!r} stands {source.count(mutant.text)} times in {mutant.module}")
    originals = codes(module, source)
    changed = codes(module, source.replace(mutant.text, mutant.changed))
    altered = [name for name, code in originals.items() if changed[name] != code]
    if not altered:
        raise LookupError(f"{mutant.name}: no function is another")
    functions = {name: function_at(module, name) for name in altered}
    kept = {name: function.__code__ for name, function in functions.items()}
    try:
        for name, function in functions.items():
            function.__code__ = changed[name]
        yield
    finally:
        for name, function in functions.items():
            function.__code__ = kept[name]


def codes(module: ModuleType, source: str) -> dict[str, CodeType]:
    """Qualified name -> code of each function and method at the top of a module."""
    found: dict[str, CodeType] = {}
    for code in compile(source, module.__file__ or "", "exec", dont_inherit=True).co_consts:
        if isinstance(code, CodeType):
            inner = [c for c in code.co_consts if isinstance(c, CodeType)]
            is_class = inspect.isclass(getattr(module, code.co_name, None))
            found.update((c.co_qualname, c) for c in (inner if is_class else [code]))
    return found


def function_at(module: ModuleType, name: str) -> FunctionType:
    """The function or method of this qualified name."""
    found: object = module
    for part in name.split("."):
        found = vars(found)[part]
    assert isinstance(found, FunctionType), f"{name} is no plain function"
    return found
