"""The command line: one file per command family. `onefold.cli.app` brings them together; docs/cli.md describes them."""
