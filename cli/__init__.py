"""The command line: the same jobs as by REST and browser."""
