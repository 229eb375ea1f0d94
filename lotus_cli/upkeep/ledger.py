"""`lotus db`, `lotus backup`, `lotus restore`: schemas and archives of the ledgers."""

from pathlib import Path

import click

from lotus_cli.terminal.output import emit, explained
from lotus_cli.terminal.places import at_home, home_option, settings_of
from lotus_store.databases import Databases


@click.group("db")
def db_command() -> None:
    """Bring the databases up to date, or compare them with their schema."""


@db_command.command("migrate")
@click.option("--post", is_flag=True, help="Also what takes away from programs of an older release still connected.")
@at_home
def migrate(post: bool, home: str | None, as_json: bool) -> None:
    """Make missing databases and apply missing migrations; running it again changes nothing."""
    with Databases(settings_of(home), migrated=False) as databases:
        emit({"versions": databases.migrate(post)}, as_json)


@db_command.command("check")
@at_home
def check(home: str | None, as_json: bool) -> None:
    """Compare every database with its schema.sql; a difference is named and the exit code is 3."""
    from lotus_store.postgres.migrations import check as compare

    with Databases(settings_of(home), migrated=False) as databases:
        emit({"versions": compare(databases), "equal": True}, as_json)


@db_command.command("roles")
@click.option("--apply", is_flag=True, help="Run the statements instead of printing them.")
@click.option("--page", is_flag=True, help="Print the page of roles and rights as the catalogue has them.")
@home_option
@explained
def roles(apply: bool, page: bool, home: str | None) -> None:
    """Print the statements (for psql) that make the roles and rights of a server of one's own.

    The embedded server has them already. Afterwards each process may be given the address of its own role, as
    `dsn_sig = "... user=lotus_sig"`; without roles everything works under the login of the address.
    """
    from lotus_store.postgres.migrations import LOTUS_DATABASES
    from lotus_store.postgres.roles import all_statements, apply_roles, matrix, rights_page

    with Databases(settings_of(home)) as databases:
        by_module = {}
        for name in LOTUS_DATABASES:
            with databases.owner(name) as connection:
                called = connection.info.dbname
                if page:
                    by_module[name] = matrix(connection, name)
                elif apply:
                    apply_roles(connection, name, LOTUS_DATABASES)
                else:
                    click.echo(f"\\connect {called}")
                    click.echo("".join(s.as_string() for s in all_statements(name, called, LOTUS_DATABASES)))
        if page:
            click.echo(rights_page(by_module), nl=False)


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@at_home
def backup_command(file: Path, home: str | None, as_json: bool) -> None:
    """Write every ledger into FILE (one archive with hashes)."""
    from lotus_store.backup import backup

    emit(dict(backup(settings_of(home), file).items()), as_json)


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@at_home
def restore_command(file: Path, home: str | None, as_json: bool) -> None:
    """Restore every ledger from FILE; only into empty databases, all or nothing."""
    from lotus_store.backup import restore

    emit(dict(restore(settings_of(home), file).items()), as_json)
