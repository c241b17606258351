"""What a value may say: ordinary words, whatever the words; and no statement, template or code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plain import plain, prose

ORDINARY = [
    "50% off; update now",
    "Select your gift from our spring range",
    "Buy now; drop in any time",
    "SELECT ITEMS FROM OUR STORE",
    "Please select gifts from Italy",
    "Select gifts from Italy",
    "Order by Friday, delivered on Monday",
    "Select a gift from our range and order by Friday",
    "Delete from cart",
    "Insert into your calendar",
    "Create user account",
    "people who create user accounts",
    "Update your profile and set a reminder",
    "Summer 2026 -- new arrivals",
    "The classics -- new",
    "Import wines",
    "people who import cars; insert a card",
    "Lambda probes",
    "Download file(s)",
    "Open (9-18)",
    "Numbers (limited)",
    "We are open (Mon-Fri); call us!",
    "File (PDF)",
    "Cluster (north)",
    "size M or 2 = XL",
    "men and/or women",
    "Rock'n'Roll; Jazz; Blues",
    "Drop shipping; union members",
    "Grant holders & table guests",
    "A system that works",
    "union of colours; all from Spain",
    "Where to go; what to see from here",
    "url: https://shop.example/sale?x=1&y=2#top",
    "-20 % -- today only",
    "Tom's \"best\" -- ever",
    "Join us; limit 2 per person",
    "50 < 60 > 40 {nice} $5 #1 100%",
    "价格; 更新 现在",
    "Values; execute a plan, sleep (well)",
    "exec (C-level)",
]  # fmt: skip
STATEMENTS = [
    "SELECT * FROM users",
    "select name from users",
    "(SELECT name FROM users)",
    "x' UNION SELECT password FROM users",
    "SeLeCt count() FrOm events_raw",
    "select a, b from t where c = 1",
    "1; SELECT 1",
    "vip; DROP TABLE x",
    "Drop Table users",
    "drop database default",
    "TRUNCATE TABLE events",
    "x'; DELETE FROM users",
    "delete from users",
    "DELETE FROM users WHERE 1=1",
    "insert into t values (1)",
    "INSERT INTO t SELECT 1",
    "update users set admin = 1",
    "ALTER TABLE t DELETE WHERE 1",
    "CREATE USER eve IDENTIFIED BY 'x'",
    "create table t (a Int8)",
    "create view v as select 1",
    "x' OR 1=1 --",
    "' or '1'='1",
    "or 'a'='a",
    "admin'--",
    "select a from t order by a",
    "x; -- the rest",
    "a /* b */ c",
    "SELECT 1 INTO OUTFILE '/tmp/x'",
]  # fmt: skip
OTHER = [
    "{{ secret }}",
    "{% if %}",
    "${HOME}",
    "<% x %>",
    "#{x}",
    "__import__('os')",
    "import os",
    "x; import os",
    "from os import path",
    "lambda x: x",
    "<script>alert(1)</script>",
]  # fmt: skip
VALUES_ONLY = [
    "url('http://evil')",
    "url ('http://evil')",
    "file('/etc/passwd')",
    "numbers(10)",
    "remote('h', system.one)",
    "cluster(default, x)",
    "dictGet('d', 'x', 1)",
    "eval(x)",
    "exec('x')",
    "sleep(3)",
    "system('ls')",
    "open('/etc/passwd')",
    "concat(a, b)",
    "system.tables",
    "information_schema.columns",
    "`users`",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_words_are_plain(text: str) -> None:
    for each in (text, f"{text}.", f"{text}; {text}", f"{text}, and more"):
        assert plain(each) == prose(each) == each


@pytest.mark.parametrize("text", STATEMENTS + OTHER)
def test_statements_templates_and_code_are_not(text: str) -> None:
    for check in (plain, prose):
        with pytest.raises(ValueError, match="looks like"):
            check(text)
    with pytest.raises(ValueError, match="looks like"):
        plain(f"{text} ")


@pytest.mark.parametrize("text", VALUES_ONLY)
def test_calls_and_identifiers_of_a_database_are_no_values(text: str) -> None:
    with pytest.raises(ValueError, match="looks like"):
        plain(text)


WORDS = sorted({word for text in ORDINARY for word in text.split() if word.isalpha() and word.isascii()})
VERBS = {"select", "delete", "insert", "update", "create", "drop", "import", "grant", "lambda"}


@given(st.lists(st.sampled_from([word for word in WORDS if word.lower() not in VERBS]), min_size=1, max_size=12),
       st.sampled_from([" ", "; ", ", ", " -- ", " & ", " / "]))  # fmt: skip
def test_words_in_any_order_are_plain(words: list[str], between: str) -> None:
    text = between.join(words)
    assert plain(text) == text
