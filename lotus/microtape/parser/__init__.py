"""The strict byte parser, channel by channel."""
