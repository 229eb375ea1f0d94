"""Pages by subject: tables, views and how their facts are read. What a page looks like is its template."""
