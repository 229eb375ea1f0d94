"""Windows scored, judged and audited."""
