"""Runs operations: documents are parsed and checked once, measured each time, and run on one state of the store."""

import logging
from collections.abc import AsyncGenerator, Iterable, Mapping
from inspect import isawaitable
from threading import Lock
from typing import Any, Final, cast

import msgspec
import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    Executor,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    execute_sync,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from onefold.api.asking import Asker
from onefold.api.graphql.context import Operation
from onefold.api.graphql.limits import Limits, Measure
from onefold.api.graphql.scopes import Wanted, wanted
from onefold.errors import OnefoldError, Problem
from onefold.service import Onefold

MOST_DOCUMENTS: Final = 500
LONGEST_KEPT: Final = 20_000
"""Documents of more characters are not kept: they are written by programs, anew each time."""
LONGEST_DOCUMENT: Final = 100_000
MOST_COMMENTS: Final = 200
TOO_LONG: Final = "contains more than"
"""How graphql-core words that a document goes beyond what `parse` was told."""
TOO_DEEP: Final = "nested too deeply"
"""And that it nests deeper than Python's stack reaches."""
MOST_ERRORS: Final = 20
MOST_RUNS: Final = 3
"""How often an operation is run on states that may move under it."""
QUICK_COST: Final = 500
"""What costs no more than this is answered faster than handed to another thread."""

RULES: Final = (*specified_rules, OneOfInputValidationRule)
INTERNAL: Final = Problem("internal", "Something went wrong that onefold has no name for; this is a bug.")

_log: Final = logging.getLogger(__name__)


class Request(msgspec.Struct, frozen=True):
    """An operation as a client sends it."""

    query: str
    operation: str | None = None
    variables: Mapping[str, Any] = {}


class Document(msgspec.Struct, frozen=True):
    """A document that was parsed and checked, its operations by name (None: without), the costs that do not depend on
    variables, and for each operation what it needs."""

    node: DocumentNode
    operations: Mapping[str | None, OperationDefinitionNode]
    costs: dict[str | None, int]
    wanted: dict[str | None, Wanted]


class Plan(msgspec.Struct, frozen=True):
    """An operation that may run, for whoever asked for it."""

    document: Document
    operation: OperationDefinitionNode
    request: Request
    cost: int
    asker: Asker

    @property
    def writes(self) -> bool:
        """Whether it is a mutation."""
        return self.operation.operation is OperationType.MUTATION

    @property
    def subscribes(self) -> bool:
        """Whether it has answers as long as there are any."""
        return self.operation.operation is OperationType.SUBSCRIPTION

    @property
    def quick(self) -> bool:
        """Whether handing it to another thread would take longer than running it."""
        return not self.writes and self.cost <= QUICK_COST


class Answer(msgspec.Struct, frozen=True):
    """What a client is told, as JSON. `executed`: whether the operation was run, well or not."""

    body: bytes
    executed: bool


class Refused(Exception):  # noqa: N818 (it is an answer, not a failure of ours)
    """An operation that is not run, and why."""

    def __init__(self, errors: Iterable[GraphQLError | OnefoldError]) -> None:
        """At most 20 errors are told."""
        self.errors: Final = list(errors)[:MOST_ERRORS]


class Engine:
    """Runs operations of one schema on one service. It may be used from any thread."""

    def __init__(self, onefold: Onefold, schema: GraphQLSchema) -> None:
        """The limits are those of the service's settings."""
        self._onefold: Final = onefold
        self._schema: Final = schema
        self._limits: Final = Limits.of(onefold.settings)
        self._documents: Final[dict[str, Document]] = {}
        self._lock: Final = Lock()

    def known(self, request: Request) -> bool:
        """Whether its document was parsed and checked before, so that `plan` is quick."""
        return request.query in self._documents

    def plan(self, request: Request, asker: Asker) -> Plan:
        """What is to be run. Raises Refused when the document, or what it asks for, is not allowed, or not to them."""
        try:
            document = self._documents.get(request.query) or self._prepare(request)
            operation = _operation(document.operations, request.operation)
            for scope, field in document.wanted[_name(operation)].items():
                asker.check(scope, field)
            return Plan(document, operation, request, self._cost(document, operation, request), asker)
        except (GraphQLError, OnefoldError) as error:
            raise Refused([error]) from error

    def _prepare(self, request: Request) -> Document:
        node = _parsed(request.query, self._limits.tokens)
        operations = {_name(d): d for d in node.definitions if isinstance(d, OperationDefinitionNode)}
        document = Document(node, operations, {}, {})
        # Measured before it is checked: checking takes much longer than measuring on what is too large.
        for operation in operations.values():
            self._cost(document, operation, request)
        if errors := validate(self._schema, node, RULES, max_errors=MOST_ERRORS):
            raise Refused(errors)
        document.wanted.update({name: wanted(self._schema, node, d) for name, d in operations.items()})
        if len(request.query) <= LONGEST_KEPT:
            self._keep(request.query, document)
        return document

    def _keep(self, query: str, document: Document) -> None:
        with self._lock:
            if len(self._documents) >= MOST_DOCUMENTS:
                del self._documents[next(iter(self._documents))]
            self._documents[query] = document

    def _cost(self, document: Document, operation: OperationDefinitionNode, request: Request) -> int:
        name = _name(operation)
        if name in document.costs:
            return document.costs[name]
        measure = Measure(self._schema, document.node, operation, request.variables, self._limits)
        cost = measure.cost()
        if not measure.varies:
            document.costs[name] = cost
        return cost

    def run(self, plan: Plan, event: object = None) -> Answer:
        """Run an operation: again if something was committed while it read, and at last so that nothing can be.
        `event`: what a subscription tells of."""
        with Operation(self._onefold, plan.asker) as operation:
            for _ in range(MOST_RUNS):
                operation.begin(hold=False)
                result = self._executed(plan, operation, event)
                if not operation.moved:
                    return response(result, operation)
            for ahead in (False, True):
                operation.begin(hold=True, ahead=ahead)
                result = self._executed(plan, operation, event)
                if not operation.unasked:
                    break
            return response(result, operation)

    async def events(self, plan: Plan, feeds: object) -> AsyncGenerator[object, None]:
        """What a subscription tells of, as it happens. `feeds`: where its root field finds it.

        Raises Refused when the field does not take what it is given.
        """
        executor = Executor.build(
            self._schema,
            plan.document.node,
            context_value=feeds,
            raw_variable_values=dict(plan.request.variables),
            operation_name=plan.request.operation,
        )
        if isinstance(executor, list):
            raise Refused(executor)
        stream = create_source_event_stream(executor)
        if isawaitable(stream):
            stream = await stream
        if isinstance(stream, ExecutionResult):
            raise Refused(stream.errors or ())
        return cast(AsyncGenerator[object, None], stream)  # subscriptions are written so

    def run_at_once(self, plan: Plan) -> Answer | None:
        """Run an operation, unless it has to wait: for a reader of the store, or for a network (None)."""
        if self._onefold.remote:
            return None
        with Operation(self._onefold, plan.asker) as operation:
            return response(self._executed(plan, operation), operation) if operation.opened_at_once() else None

    def _executed(self, plan: Plan, operation: Operation, event: object = None) -> ExecutionResult:
        return execute_sync(
            self._schema,
            plan.document.node,
            root_value=event,
            context_value=operation,
            variable_values=dict(plan.request.variables),
            operation_name=plan.request.operation,
        )


def refusal(refused: Refused) -> Answer:
    """The answer to an operation that is not run: without `data`."""
    return Answer(orjson.dumps({"errors": told(refused)}), executed=False)


def told(refused: Refused) -> list[dict[str, object]]:
    """Why an operation is not run, as clients are told."""
    return [_told(error, _problem_of_request(error)) for error in refused.errors]


def response(result: ExecutionResult, operation: Operation) -> Answer:
    """The answer to an operation. `data` is missing when its variables kept it from being run."""
    said: dict[str, object] = {}
    if errors := result.errors or []:
        said["errors"] = [
            _told(error, _problem(error, operation) if error.path else _problem_of_request(error))
            for error in errors[:MOST_ERRORS]
        ]
    executed = result.data is not None or any(error.path for error in errors)
    if executed:
        said["data"] = result.data
    return Answer(orjson.dumps(said), executed)


def _problem(error: GraphQLError, operation: Operation) -> Problem:
    """What a resolver met. What has no name is logged, and nothing of it is told."""
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if cause is None:  # graphql-core's own word on what the client gave
        return Problem("query.invalid", error.message)
    known = cause if isinstance(cause, OnefoldError) else operation.named(cause)
    if known:
        return known.problem
    _log.error("a field could not be resolved: %s", error, exc_info=cause)
    return INTERNAL


def _problem_of_request(error: GraphQLError | OnefoldError) -> Problem:
    return error.problem if isinstance(error, OnefoldError) else Problem("query.invalid", error.message)


def _told(error: GraphQLError | OnefoldError, problem: Problem) -> dict[str, object]:
    told: dict[str, object] = {"message": problem.message}
    if isinstance(error, GraphQLError):
        if error.locations:
            told["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
        if error.path:
            told["path"] = error.path
    extensions = {"code": problem.code, "hint": problem.hint, "field": problem.field}
    told["extensions"] = {name: value for name, value in extensions.items() if value is not None}
    return told


def _parsed(query: str, most_tokens: int) -> DocumentNode:
    try:
        return parse(
            query, max_lexical_tokens=most_tokens, max_comments=MOST_COMMENTS, max_source_length=LONGEST_DOCUMENT
        )
    except GraphQLSyntaxError as error:
        if TOO_LONG in error.message:
            raise OnefoldError("query.too_complex", error.message, "Ask for less at once.") from error
        if TOO_DEEP in error.message:
            raise OnefoldError("query.too_deep", "the document nests too deeply", "Ask for less at once.") from error
        raise


def _name(operation: OperationDefinitionNode) -> str | None:
    return operation.name.value if operation.name else None


def _operation(operations: Mapping[str | None, OperationDefinitionNode], name: str | None) -> OperationDefinitionNode:
    if name is None and len(operations) == 1:
        return next(iter(operations.values()))
    if name in operations:
        return operations[name]
    known = ", ".join(str(known) for known in operations) or "none"
    raise OnefoldError(
        "query.invalid",
        f"the document has no operation {name!r}" if name else "the document has several operations",
        f"Give operationName one of these: {known}.",
        "operationName",
    )
