"""Names as bytes: any name that a venue may choose, in the order of names."""

import numpy as np

from lotus_assets.stages.lake_tables import utf8_of


def test_any_name_becomes_bytes_that_sort_as_the_names_do() -> None:
    names = ["ETH", "é", "BTC", "USD₮0", "", "😀", "\uffff", "kPEPE"]
    for kind in (object, np.str_):
        found = utf8_of(np.array(names, dtype=kind))
        assert found.tolist() == [name.encode() for name in names]
        assert [names[k] for k in np.argsort(found, kind="stable")] == sorted(names)
    assert utf8_of(np.array([], dtype=object)).shape == (0,)
