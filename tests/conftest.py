"""What every test shares: the Hypothesis profile, chosen by ONEFOLD_HYPOTHESIS_PROFILE.

`quick` and `ci` draw the same cases every time, so that a red run is red again; `nightly` draws new ones and prints the
blob that reproduces a failure.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("quick", max_examples=50, derandomize=True, deadline=None)
settings.register_profile("ci", max_examples=300, derandomize=True, deadline=None)
settings.register_profile(
    "nightly",
    max_examples=20_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile(os.environ.get("ONEFOLD_HYPOTHESIS_PROFILE", "quick"))
