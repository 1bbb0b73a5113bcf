"""The table of commands."""

from importlib import metadata
from typing import Annotated

import typer

from . import (
    access,
    backtest,
    build,
    demo,
    doctor,
    evaluate,
    explain,
    export,
    importing,
    init,
    preview,
    recommend,
    serve,
    sql,
    tune,
    upkeep,
)

app = typer.Typer(
    name="endcap",
    help="Product recommendations for shops, by rules and counting.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("serve")(serve.serve)
app.add_typer(importing.app, name="import")
app.command("build")(build.build)
app.add_typer(evaluate.app, name="evaluate")
app.command("tune")(tune.tune)
app.command("recommend")(recommend.recommend)
app.command("explain")(explain.explain)
app.command("preview")(preview.preview)
app.command("backtest")(backtest.command)
app.command("export")(export.export)
app.command("doctor")(doctor.doctor)
app.command("login-link")(access.login_link)
app.command("key")(access.key)
app.command("migrate")(upkeep.migrate)
app.command("backup")(upkeep.backup)
app.command("restore")(upkeep.restore)
app.command("move")(upkeep.move)
app.command("sql")(sql.sql)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(metadata.version("endcap"))
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print it."),
    ] = False,
) -> None:
    """Product recommendations for shops, by rules and counting."""
