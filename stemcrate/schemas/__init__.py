"""Models of everything that Stemcrate stores and answers; pydantic only.

`facts` is what the analysis finds, `manifest` the record of a job, `jobs`, `library`, `sets` and
`configuration` are the API's answers. JSON on disk and on the wire is what these models dump.
"""
