"""The artefacts of jobs: manifests, files, and the store that keeps both."""
