"""What a deployment promises: looked at every five minutes and by partition, and told where it is broken."""
