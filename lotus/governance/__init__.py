"""Whether the learning helps, and what a nightly run was made of: values in, values out."""
