"""The browser workbench. It talks to the API only, by `ui.client`."""
