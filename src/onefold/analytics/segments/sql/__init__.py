"""The conditions of rules as SQL over the read model. Values never stand in it: each is a bound parameter."""
