"""Sizes of the folders of DATA_DIR."""

from pathlib import Path

from core.artifacts.usage import DiskUsage


def test_folders_are_measured_largest_first_and_links_are_not_followed(tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    (data / "outputs" / "job" / "deep").mkdir(parents=True)
    (data / "cache").mkdir()
    elsewhere.mkdir()
    (data / "outputs" / "job" / "deep" / "a").write_bytes(b"x" * 700)
    (data / "outputs" / "b").write_bytes(b"x" * 300)
    (data / "cache" / "c").write_bytes(b"x" * 10)
    (data / "stemcrate.sqlite").write_bytes(b"x" * 20)
    (elsewhere / "big").write_bytes(b"x" * 5000)
    (data / "cache" / "link").symlink_to(elsewhere)
    sizes = DiskUsage(data).sizes()
    link = (data / "cache" / "link").lstat().st_size
    assert list(sizes.items()) == [("outputs", 1000), *sorted_pairs(cache=10 + link)]


def sorted_pairs(cache: int) -> list[tuple[str, int]]:
    return sorted([("cache", cache), (".", 20)], key=lambda item: -item[1])
