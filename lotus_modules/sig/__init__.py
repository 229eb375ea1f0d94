"""The alpha detector: what the trader reports of its windows becomes outcomes."""
