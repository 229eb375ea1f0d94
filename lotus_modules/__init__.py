"""What the modules do with a message: handlers by module. The router itself is `lotus_herald`."""
