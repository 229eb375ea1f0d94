"""What an installation of the lab alone lacks is said by the name of the extra that brings it."""

from importlib.util import find_spec

from lotus.errors import ConfigError


def require(extra: str, what: str, *modules: str) -> None:
    """Raise `ConfigError` unless all modules can be imported, saying what needs them and how to install them."""
    if missing := [name for name in modules if find_spec(name) is None]:
        raise ConfigError(
            f"{what} needs {' and '.join(missing)}, not installed here",
            f"pip install 'lotus-quant[{extra}]'",
            "lotus-quant was installed without its extras",
        )
