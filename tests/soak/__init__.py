"""Mixed load for as long as one likes, with kills in between: `python -m tests.soak`, or `make soak`."""
