"""Transfers: files of jobs put into folders, object stores and WebDAV."""

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.schemas.transfers import Transfer, TransferRequest, Transfers


class TransferCalls(Calls):
    """Operations on transfers."""

    def create_transfer(self, job_id: str, request: TransferRequest) -> Transfer:
        """Put all files of a job that has ended to a target of the installation.

        Raises `ApiError` ``job_not_finished`` (409), ``invalid_option`` (422).
        """
        body = request.model_dump(mode="json")
        return self._api.read("POST", path_of("job", job_id, "transfers"), Transfer, json=body)

    def list_transfers(self) -> Transfers:
        """Return the targets that may be named, and the last transfers, newest first."""
        return self._api.read("GET", "/transfers", Transfers)

    def get_transfer(self, transfer_id: str) -> Transfer:
        """Return state and progress of a transfer.

        Raises `ApiError` ``transfer_not_found`` (404).
        """
        return self._api.read("GET", path_of("transfers", transfer_id), Transfer)

    def cancel_transfer(self, transfer_id: str) -> Transfer:
        """Cancel a transfer; files that are there stay. One that has ended is unchanged.

        Raises `ApiError` ``transfer_not_found`` (404).
        """
        return self._api.read("POST", path_of("transfers", transfer_id, "cancel"), Transfer)
