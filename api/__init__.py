"""The REST API: thin. Routes speak HTTP; everything else is asked of `core`."""
