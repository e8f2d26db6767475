"""The version that the API tells."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("stemcrate")
except PackageNotFoundError:  # run from a checkout that is not installed
    VERSION = "0.0.0"
