"""Numbers as offices write them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility_coverage.layers.numbers import COUNT_UNITS, EMPTY_MARKS, read_numbers


def read(*texts: object, units: tuple[str, ...] = COUNT_UNITS):
    return read_numbers(pd.Series(texts, dtype=object), units=units)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("120", 120),
        ("  120 ", 120),
        ("１２０", 120),
        ("１，２００", 1200),
        ("1，200", 1200),
        ("1,200", 1200),
        ("1 200", 1200),
        ("1,234,567.5", 1_234_567.5),
        ("120张", 120),
        ("45个", 45),
        ("30 位", 30),
        ("30\u3000位", 30),
        ("80床", 80),
        ("12人", 12),
        ("20托位", 20),
        ("20个托位", 20),
        ("60张床位", 60),
        ("1,200张", 1200),
        ("1.2万", 12_000),
        ("1.1万人", 11_000),
        ("1.2 万 人", 12_000),
        ("3,000万", 30_000_000),
        ("１．５", 1.5),
        ("-3", -3),
        ("－3", -3),
        ("\u22123", -3),
        ("+3", 3),
        (".5", 0.5),
        ("1e5", 100_000),
        ("007", 7),
        (120.5, 120.5),
    ],
)
def test_what_is_a_number(text: object, value: float) -> None:
    got = read(text)
    assert got.value.tolist() == [value]
    assert not got.is_empty[0]
    assert not got.is_wrong[0]


@pytest.mark.parametrize("text", [*EMPTY_MARKS, None, np.nan, "  ", "－", "／", "na", "n/a", "NULL", " 无 ", "\u3000"])
def test_what_is_no_data(text: object) -> None:
    got = read(text)
    assert math.isnan(got.value[0])
    assert got.is_empty[0]
    assert not got.is_wrong[0]


@pytest.mark.parametrize(
    "text",
    [
        *("约120", "120左右", "120-150", "120~150", "120+30", "120/30", "≥120", "一百二十", "壹佰", "十", "两张"),
        *("1,20", "1.200,5", "12,00", "1,2345", "0,250", ",200", "1,200,", "1 20", "1  200", "1234,567", "1,200 300"),
        *(
            "--",
            "——",
            "待定",
            "?",
            "NaN",
            "nan",
            "inf",
            "-inf",
            "None",
            "1_000",
            "0x1F",
            "True",
            "50%",
            "½",
            "②",
            "12²",
        ),
        *("张", "万", "3千", "120张(护理60张)", "120平方米", "1.2.3", "1e", "٣", "1万2", "120 张 张", "=120", "'120"),
    ],
)
def test_what_is_refused(text: str) -> None:
    got = read(text)
    assert got.is_wrong[0]
    assert math.isnan(got.value[0])
    assert not got.is_empty[0]


@pytest.mark.parametrize("text", ["120张", "1.2万", "30 位"])
def test_without_units_none_may_follow(text: str) -> None:
    assert read(text, units=()).is_wrong[0]


def test_truths_are_no_numbers() -> None:
    got = read_numbers(pd.Series([True, False]))
    assert got.is_wrong.all()


def test_columns_of_numbers_are_taken_as_they_are() -> None:
    whole = read_numbers(pd.Series([1, None, 3], dtype="Int64"))
    np.testing.assert_array_equal(whole.value, [1, np.nan, 3])
    assert whole.is_empty.tolist() == [False, True, False]
    floats = read_numbers(pd.Series([1.5, np.nan, np.inf]))
    assert floats.is_empty.tolist() == [False, True, False]
    assert floats.is_wrong.tolist() == [False, False, True]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_what_python_writes_is_read_to_the_last_bit(values: list[float]) -> None:
    assert read(*map(repr, values)).value.tolist() == values


FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


@given(
    st.lists(
        st.tuples(
            st.integers(-(10**12), 10**12),
            st.sampled_from([",", "，", " "]),
            st.booleans(),
            st.sampled_from(["", *COUNT_UNITS]),
        )
    )
)
def test_separators_width_and_units_change_no_number(rows: list[tuple[int, str, bool, str]]) -> None:
    texts = []
    for value, separator, is_wide, unit in rows:
        text = f"{value:,}"
        text = text.translate(FULL_WIDTH) if is_wide else text
        texts.append(text.replace("，" if is_wide else ",", separator) + unit)
    assert read(*texts).value.tolist() == [value for value, *_ in rows]


@given(st.decimals(min_value=0, max_value=10**6, places=4, allow_nan=False))
def test_ten_thousand_is_exact(value) -> None:
    assert read(f"{value}万人").value.tolist() == [float(value * 10_000)]


@given(st.lists(st.text(max_size=8)))
def test_any_text_is_a_number_no_data_or_refused(texts: list[str]) -> None:
    got = read(*texts)
    kinds = np.isfinite(got.value).astype(int) + got.is_empty + got.is_wrong
    assert (kinds == 1).all()
    # Each value is read on its own: what stands beside it does not matter.
    alone = [read(text).value[0] for text in texts]
    np.testing.assert_array_equal(got.value, alone)
