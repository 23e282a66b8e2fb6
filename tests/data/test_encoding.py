"""Bytes are told to be text, and of which encoding."""

from __future__ import annotations

import pytest

from workbench.data.encoding import guess_encoding, legacy_encoding
from workbench.errors import DataError


@pytest.mark.parametrize("codec", ["latin-1", "cp1252"])
def test_western_text(codec: str) -> None:
    sample = "name,größe\nJosé,1\nZoë,2\n".encode(codec) + (
        "€5\n".encode(codec) if codec == "cp1252" else b""
    )
    assert legacy_encoding(sample, "a.csv") == codec


def test_bytes_that_windows_leaves_undefined() -> None:
    assert legacy_encoding(b"caf\xe9 \x81 na\xefve", "a.csv") == "latin-1"


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp1251", "Москва улица дом человек время рука дело жизнь день вопрос город работа слово"),
        ("cp1253", "Αθήνα Πάτρα οδός άνθρωπος χρόνος ημέρα δρόμος πόλη"),
    ],
)
def test_other_scripts(codec: str, text: str) -> None:
    sample = "\n".join(f"{at},{word}" for at, word in enumerate(text.split())).encode(codec)
    assert sample.decode(legacy_encoding(sample, "a.csv")) == sample.decode(codec)


def test_a_character_cut_at_the_end_of_the_sample_is_no_error() -> None:
    assert guess_encoding("größe".encode()[:3], "a.csv") == "utf-8"


@pytest.mark.parametrize(
    "head", [b"%PDF-1.7", b"SQLite format 3\0", b"a,b,c,d,e\0f,g,h", bytes(range(1, 32)) * 3]
)
def test_no_text(head: bytes) -> None:
    with pytest.raises(DataError, match=r"a\.csv is no text file"):
        guess_encoding(head, "a.csv")
