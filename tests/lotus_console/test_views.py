"""`lotus_console/sections.py` and views: each place is one page, each key one section, links name columns."""

import re
from collections import Counter

from lotus_console.render import environment
from lotus_console.sections import SECTIONS


def test_places_and_keys_are_unique() -> None:
    places = [f"/{table.name}" for section in SECTIONS for table in section.tables]
    places += [view.place for section in SECTIONS for view in section.views]
    assert not [place for place, n in Counter(places).items() if n > 1]
    assert not [key for key, n in Counter(section.shortcut for section in SECTIONS).items() if n > 1]
    heads = {section.place for section in SECTIONS}
    assert heads <= set(places)


def test_every_template_is_there_and_every_link_names_columns() -> None:
    for section in SECTIONS:
        for view in section.views:
            environment().get_template(view.template)
        for table in section.tables:
            names = {column.name for column in table.columns}
            for column in table.columns:
                assert set(re.findall(r"\{(\w+)\}", column.link)) <= names, (table.name, column.name)
                assert column.span is None or set(column.span) <= names
