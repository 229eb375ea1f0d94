"""How every command speaks: output, progress, tables, small pictures, and what is typed."""
