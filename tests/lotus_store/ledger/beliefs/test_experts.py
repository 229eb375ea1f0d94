"""The registry of experts: filled from the specs, idempotent, old specs stay and are off."""

import dataclasses

from lotus.experts.fusion import ExpertSet, default_experts
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.experts import read_experts, write_experts


def test_the_registry_says_what_runs_and_remembers_what_ran(databases: Databases) -> None:
    experts = default_experts()
    with databases.connect("sig") as c:
        write_experts(c, experts)
        first = read_experts(c)
        write_experts(c, experts)
        assert read_experts(c) == first
        active = [row for row in first if row.status == "active"]
        assert [row.expert_id for row in active] == list(experts.names)
        assert [row.place for row in active] == list(range(len(experts.names)))
        assert active[0].spec == experts.experts[0].body
        assert {row.reliability for row in first} == {None}
        other = dataclasses.replace(experts.experts[0], body={**experts.experts[0].body, "version": "99"}, version=99)
        write_experts(c, ExpertSet((other, *experts.experts[1:]), experts.fusion))
        rows = {(row.version, row.status) for row in read_experts(c) if row.expert_id == other.expert_id}
        assert rows == {(99, "active"), (experts.experts[0].version, "off")}
        write_experts(c, experts)
        assert {row.status for row in read_experts(c) if row.version == 99} == {"off"}
        c.rollback()
