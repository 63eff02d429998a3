"""Where the files of `graph_schema` are: within the package when installed from a wheel, beside `src` otherwise."""

from importlib.resources import files
from pathlib import Path

from onefold.errors import OnefoldError


def schema_folder() -> Path:
    """The folder `graph_schema`. Raises `schema.missing` when the installation has none."""
    packaged = Path(str(files("onefold"))) / "graph_schema"
    for folder in (packaged, Path(__file__).parents[2] / "graph_schema"):
        if folder.is_dir():
            return folder
    raise OnefoldError(
        "schema.missing",
        f"the folder graph_schema is not in the installed package at {packaged.parent}",
        hint="Install onefold again from a wheel, or run it from a complete checkout.",
    )


def schema_file(name: str) -> Path:
    """One file of `graph_schema`, by its path there, as `sqlite/0001_start.sql`. Raises `schema.missing`."""
    path = schema_folder() / name
    if path.is_file():
        return path
    raise OnefoldError(
        "schema.missing",
        f"graph_schema has no file {name}",
        hint="Install onefold again: its wheel carries all of graph_schema.",
        field=name,
    )
