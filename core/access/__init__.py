"""Who may use the API: keys, their owners and scopes."""
