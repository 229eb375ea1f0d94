"""Ticks of a sensor."""

from lotus_resources.lotus_resource import Lotus


def close_segment(lotus: Lotus, day: str, name: str) -> None:
    """Leave a closed segment's name on the tape."""
    folder = lotus.tape.folder / day
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.zst").touch()
    (folder / "090000-0009.zst.open").touch()
