"""The browser workbench. It talks only to the API, through `stemcrate.client`."""
