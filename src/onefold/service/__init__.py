"""The use cases: the only thing that the doors (GraphQL, HTTP, the command line) call. Plain frozen values come out.

`Onefold` opens a `Reading` for each operation that reads, and takes what is to be written; the modules beside it hold
the use cases, each a function of a reading that takes many things and answers for all of them in one go.
"""

from onefold.service.onefold import Onefold
from onefold.service.reading import Reading

__all__ = ["Onefold", "Reading"]
