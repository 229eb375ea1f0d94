"""Questions in SQL to the lake and the ledgers, which can read and nothing else."""
