"""The REST API: thin routes that speak HTTP and delegate everything else to `core`."""
