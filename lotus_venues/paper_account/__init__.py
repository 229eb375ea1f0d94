"""The paper account: a venue of one's own that rests, triggers, charges and remembers as the real one would."""
