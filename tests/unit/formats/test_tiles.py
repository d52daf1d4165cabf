"""Tile names, shapes and bundles against C2SP tlog-tiles."""

import pytest

from holdfast.formats.tiles import (
    ENTRIES,
    Tile,
    encode_bundle,
    frontier,
    new_tiles,
    parse_bundle,
    parse_hashes,
    parse_path,
    tile_at,
)
from holdfast.kernel.errors import MalformedError


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(1, 67, 3), "tile/1/067.p/3"),
        (Tile(ENTRIES, 1000, 255), "tile/entries/x001/000.p/255"),
    ],
)
def test_a_tile_is_called_as_the_specification_says(tile: Tile, path: str) -> None:
    assert tile.path() == path
    assert parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/x000/000",
        "tile/00/000",
        "tile/8/000",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p",
        "tile/0/001/000",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "/tile/0/000",
        "tile/data/000",
        "checkpoint",
    ],
)
def test_nothing_else_is_called_a_tile(path: str) -> None:
    with pytest.raises(MalformedError):
        parse_path(path)


def test_a_tree_of_70000_has_the_tiles_of_the_specifications_example() -> None:
    assert len(list(new_tiles(0, 0, 70_000))) == 274
    assert [tile for level in range(4) for tile in new_tiles(level, 0, 70_000) if not tile.full] == [
        Tile(0, 273, 112),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]
    assert frontier(70_000) == [Tile(2, 0, 1), Tile(1, 1, 17), Tile(0, 273, 112)]


def test_a_tree_of_256_has_a_full_tile_and_a_partial_one_above() -> None:
    assert [list(new_tiles(level, 255, 256)) for level in range(3)] == [[Tile(0, 0)], [Tile(1, 0, 1)], []]
    assert frontier(256) == [Tile(1, 0, 1)]


def test_growth_writes_only_what_changes() -> None:
    assert list(new_tiles(0, 300, 300)) == []
    assert list(new_tiles(ENTRIES, 300, 301)) == [Tile(ENTRIES, 1, 45)]
    assert list(new_tiles(1, 300, 301)) == []
    assert list(new_tiles(0, 256, 513)) == [Tile(0, 1), Tile(0, 2, 1)]
    with pytest.raises(MalformedError):
        tile_at(0, 1, 256)


def test_bundles_read_back_and_must_add_up() -> None:
    entries = [b"", b"a", b"x" * 65_535]
    data = encode_bundle(entries)
    assert data[:5] == b"\x00\x00\x00\x01a"
    assert parse_bundle(data, 3) == entries
    for wrong, width in ((data, 2), (data, 4), (data[:-1], 3), (data + b"\x00", 3), (b"\x00", 0), (b"\x00\x02a", 1)):
        with pytest.raises(MalformedError):
            parse_bundle(wrong, width)
    with pytest.raises(MalformedError):
        encode_bundle([b"x" * 65_536])
    with pytest.raises(MalformedError):
        parse_hashes(bytes(33), 1)
