"""GraphQL over WebSocket, by the protocol graphql-transport-ws: the one door through which answers keep coming."""
