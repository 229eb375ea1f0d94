"""What the alpha detector tells of a candidate that was put in force: a variant was born, and what it was shown to add.

Both are records; who receives them changes nothing by them.
"""

from lotus.modules.intents import Module
from lotus.modules.messages.beliefs import LessonPublished, lesson_message
from lotus.modules.messages.signals import VariantBorn, variant_message
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_store.databases import Connection


def tell_settled(connection: Connection, born: VariantBorn, lesson: LessonPublished, keys: Keys) -> None:
    """Put both messages into sig's outbox, in the caller's transaction; safe to repeat."""
    send(connection, Module.SIG, variant_message(born), keys)
    send(connection, Module.SIG, lesson_message(lesson, Module.SIG), keys)
