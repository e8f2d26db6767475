"""The public face of Stemcrate: all that users, plug-ins and scripts import.

`stemcrate.schemas` describes every result, `stemcrate.client` talks to a server, `stemcrate.local`
works without one, and `stemcrate.plugins` holds the extension points. Everything else in this
distribution (`core`, `api`, `ui`, `cli`, `config`) is internal and may change without notice.
"""
