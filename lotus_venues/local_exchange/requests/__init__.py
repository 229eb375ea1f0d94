"""Requests and answers in the venue's words, without HTTP."""
