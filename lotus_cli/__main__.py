"""`python -m lotus_cli`: the program `lotus`."""

from lotus_cli.entry import main

if __name__ == "__main__":
    main()
