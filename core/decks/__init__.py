"""Players on the network that speak StageLinQ (Denon DJ Prime and SC, Engine OS).

Devices announce themselves by UDP; services of each are reached by TCP: a directory that lists
them, the states of its decks, beats, files. Nobody published the protocol: what is known of it is
told in docs/decks.md. All that arrives is limited in size, and what is malformed ends one
connection, never the watcher.
"""
