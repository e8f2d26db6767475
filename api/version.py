"""The version that the API reports."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("stemcrate")
except PackageNotFoundError:  # a checkout that is not installed
    VERSION = "0.0.0"
