"""The console: pages and `/api/v1` over what is stored. It reads as a role that cannot write; acts are signed messages.

A table is declared once (`tables.Table`) and served as a page, JSON, CSV and Parquet. No computation of beliefs here.
"""
