"""What the `kind` of a line of the change feed says that is neither a touchpoint nor a decision, as stores keep it."""

from typing import Final

MOVE_CHANGE: Final = 1
"""An identifier came to a customer."""
CLAIMS_CHANGE: Final = 2
"""Claims about an identifier changed."""
SUBJECT_CHANGE: Final = 3
"""A touchpoint has another subject."""
CONSENTS_CHANGE: Final = 4
"""What an identifier agreed to changed."""
