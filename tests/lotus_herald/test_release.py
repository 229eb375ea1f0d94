"""Every envelope names version and schema."""

from lotus.modules.intents import Module
from lotus_herald.keys import Keys, signing_release
from lotus_herald.outbox import send
from lotus_herald.release import release_of
from lotus_store.databases import Databases
from lotus_store.manifests.model import schema_hash

from .conftest import alert


def test_every_envelope_names_version_and_schema(databases: Databases, keys: Keys) -> None:
    with databases.connect("sig") as connection:
        said = send(connection, Module.SIG, alert("a"), keys)
    assert said.release == release_of(Module.SIG)
    assert said.release.endswith("+" + schema_hash(Module.SIG))
    assert len({release_of(module) for module in Module}) == 4
    known = {keys.verify_key("sig"): frozenset({said.release})}
    assert signing_release(said, said.to_json(), known) == {said.release}
