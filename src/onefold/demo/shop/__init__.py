"""The shop that never was: people, and what they do on its channels in a year, drawn from a seed.

`World` is what to begin with. Whoever generates knows whose every touchpoint is; the events do not say.
"""
