"""Sentences for people about lessons and candidates: templates, and what a model may write in their place."""
