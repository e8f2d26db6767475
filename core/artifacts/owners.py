"""The owners of an installation."""

from core.artifacts.documents import documents_of
from core.system.homes import home_name, owners_in
from core.system.storage import Storage
from stemcrate.schemas.owners import LOCAL


def note_owner(storage: Storage, owner: str) -> None:
    """Note that an owner has something here."""
    if storage.is_shared and owner != LOCAL:
        documents_of(storage).write(f"owners/{owner}", b"")
    (storage.data_dir / home_name(owner)).mkdir(parents=True, exist_ok=True)


def owners_of(storage: Storage) -> list[str]:
    """List the owners that have something here, `local` first."""
    if not storage.is_shared:
        return owners_in(storage.data_dir)
    found = documents_of(storage).names("owners")
    return [LOCAL, *dict.fromkeys(name.split("/")[1] for name in found)]
