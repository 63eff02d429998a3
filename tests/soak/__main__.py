"""`python -m tests.soak [--seconds N]`: run one, and say what happened; 1 when it is not as asked."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.soak.soak import EVENTS_A_SECOND, KILLS, soak


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long it runs, ten minutes if not said")
    parser.add_argument("--kills", type=int, default=KILLS, help=f"how often it is killed, {KILLS} times if not said")
    parser.add_argument(
        "--events", type=float, default=EVENTS_A_SECOND, help=f"how many are sent a second, {EVENTS_A_SECOND:g} at most"
    )
    said = parser.parse_args()
    with TemporaryDirectory(prefix="onefold-soak-") as folder:
        report = soak(Path(folder), said.seconds, kills=said.kills, a_second=said.events)
    sys.stdout.write("".join(f"{line}\n" for line in report.lines()))
    return int(bool(report.wrong))


if __name__ == "__main__":
    sys.exit(main())
