"""The breeder on the days of a home: panel from stored tables, charges in the ledger, audits of who would enter."""
