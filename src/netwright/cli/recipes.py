"""`netwright recipes`: complete specs with a name."""

from __future__ import annotations

from cyclopts import App

from netwright.cli.screen import Output

app = App(name="recipes", group_commands="Commands", help="List the recipes: complete specs with a name.")


@app.default
@app.command(name="list")
def listing(*, output: Output | None = None) -> None:
    """List every recipe with one sentence.

    Args:
        output: How to print.
    """
    from netwright import recipes

    output = output or Output()
    found = {name: recipes.summary(name) for name in recipes.names()}
    if output.json:
        output.document(found)
    else:
        output.table(("recipe", "what it is"), found.items())
        output.lines(["", "next: netwright train digits"])


@app.command
def show(name: str, /, *, output: Output | None = None) -> None:
    """Print a recipe's YAML.

    Args:
        name: The recipe.
        output: How to print.
    """
    from netwright import recipes

    output = output or Output()
    if output.json:
        output.document(recipes.load(name))
    else:
        output.lines(recipes.text(name).splitlines())


@app.command
def schema(*, output: Output | None = None) -> None:
    """Print the JSON schema of a spec, which lets editors complete and check it.

    Args:
        output: How to print.
    """
    from netwright import spec

    (output or Output()).document(spec.schema())
