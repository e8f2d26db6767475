"""Transfer of a job's files to folders, object stores and WebDAV."""
