"""One Dagster sensor per file. They select asset groups and never import assets."""
