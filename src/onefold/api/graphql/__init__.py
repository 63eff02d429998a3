"""GraphQL: the public schema, written in code (`types`, `query`, `mutation`), and how operations are run over HTTP."""
