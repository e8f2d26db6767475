"""Sign-in of people to the workbench: a shared password, OpenID Connect, or a proxy's word."""
