"""Models of everything that Stemcrate stores and answers; pydantic only.

`facts` is what the analysis finds, `sets` and `transitions` what the planner finds, `manifest` the
record of a job; `jobs`, `library`, `playlists` and `configuration` are the API's answers. JSON on
disk and on the wire is what these models dump.
"""
