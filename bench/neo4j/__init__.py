"""Benchmarks of the store in Neo4j, on servers of their own."""
