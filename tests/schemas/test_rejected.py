from schemas.rejected import HEADERS, Reason, Rejection, headers


def test_the_headers_of_a_rejected_record() -> None:
    rejection = Rejection(Reason.BAD_AMOUNT, "total: not an amount: 'x'", b"{}")
    assert headers(rejection, "cdp.events.v1/3/17", 1_700_000_000_000, "m1") == [
        ("v", b"1"),
        ("reason", b"bad_amount"),
        ("detail", b"total: not an amount: 'x'"),
        ("where", b"cdp.events.v1/3/17"),
        ("received_at", b"1700000000000"),
        ("message_id", b"m1"),
    ]
    assert [name for name, _ in headers(rejection, "ingest", 0)] == list(HEADERS._fields)


def test_headers_can_be_written_whatever_was_sent() -> None:
    assert dict(headers(Rejection(Reason.INVALID, "\ud800", b""), "ingest", 0, "\udfff"))["detail"] == b"?"
