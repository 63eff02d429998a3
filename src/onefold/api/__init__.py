"""The doors over HTTP: GraphQL, tracking, health. They translate, and call `onefold.service` for everything else."""
