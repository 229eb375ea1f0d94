"""The operations of the tape machine, and the table that names them."""
