"""`lotus export`: what a home believes, as files for others."""
