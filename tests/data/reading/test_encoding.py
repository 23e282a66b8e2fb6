"""Bytes are told to be text, and of which encoding."""

from __future__ import annotations

import pytest

from workbench.data.reading.encoding import guess_encoding, legacy_encoding
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
    with pytest.raises(DataError, match=r"a\.csv is not a text file"):
        guess_encoding(head, "a.csv")


TABLES = {
    "cp932": ("日付,気温(℃),天気", ["雨", "曇", "晴"]),
    "shift_jis": ("名前,価格,機能", ["ソート", "表示", "予約", "十", "能力"]),
    "euc_jp": ("都道府県,人口,面積", ["東京都", "大阪府", "北海道"]),
    "iso2022_jp": ("都市,人口,天気", ["くもり", "晴れ"]),
    "gbk": ("城市,人口,类别", ["北京", "上海", "苏州", "镕"]),
    "gb18030": ("日期,销售额,产品名称", ["手机", "洗衣机", "空调"]),
    "big5": ("城市,人口,類別", ["許功蓋", "成功", "餐廳", "育種"]),
    "euc_kr": ("도시,인구,날짜", ["서울", "부산", "대전"]),
    "cp949": ("음식,가격,평가", ["짬뽕", "떡볶이", "좋음", "보통"]),
}


@pytest.mark.parametrize("rows", [8, 300])
@pytest.mark.parametrize("codec", TABLES)
def test_two_byte_text_is_judged_whole(codec: str, rows: int) -> None:
    """The second byte of a character may be an ASCII letter, a backslash or a bracket."""
    header, words = TABLES[codec]
    lines = [header, *(f"{at},{at * 7 % 100},{words[at % len(words)]}" for at in range(rows))]
    content = ("\r\n".join(lines) + "\r\n").encode(codec)
    assert content.decode(guess_encoding(content, "a.csv")) == content.decode(codec)


@pytest.mark.parametrize("codec", ["shift_jis", "gbk", "big5", "euc_kr"])
def test_a_header_above_many_numbers_is_enough(codec: str) -> None:
    lines = [TABLES[codec][0], *(f"{at},{at * 7 % 100},{at / 3}" for at in range(5000))]
    content = "\n".join(lines).encode(codec)
    assert content.decode(guess_encoding(content, "a.csv")) == content.decode(codec)
