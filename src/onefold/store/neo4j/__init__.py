"""The store in Neo4j: the graph of the design as it is, for several processes and for analysts."""
