"""Priors at the bottom of the domain: value types of beliefs, the rule vocabulary and their exact application."""
