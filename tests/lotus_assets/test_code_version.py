"""The code version of an asset: the same for the same packages, another one for more of them."""

from lotus_assets.code_version import code_version


def test_it_names_the_packages_that_are_hashed() -> None:
    assert code_version("microtape") == code_version("microtape")
    assert len({code_version(), code_version("microtape"), code_version("microtape", "experts")}) == 3
    assert len(code_version()) == 32
