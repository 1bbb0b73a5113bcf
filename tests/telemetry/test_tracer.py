"""Which requests are traced, and to which trace they belong."""

from endcap.telemetry.tracer import Tracer

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def tracer(share, number=0):
    spans = []
    made = Tracer(spans.append, share, lambda: 1_000, number.to_bytes)
    return made, spans


def header(flags, trace=TRACE, parent=PARENT):
    return [(b"traceparent", f"00-{trace}-{parent}-{flags}".encode())]


def test_a_traced_caller_is_followed_whatever_the_share():
    made, spans = tracer(0.0)
    trace = made.begin(header("01"))
    made.end(trace, ("get_recommendations", "GET", 200, "r-1"), 5_000)
    (span,) = spans
    assert span.trace.trace.hex() == TRACE
    assert span.trace.parent.hex() == PARENT
    assert (span.began, span.ended) == (1_000_000_000, 1_000_005_000)


def test_a_caller_that_does_not_trace_is_left_alone():
    assert tracer(1.0)[0].begin(header("00")) is None


def test_the_share_decides_without_a_caller():
    assert tracer(0.0)[0].begin([]) is None
    assert tracer(1.0, 2**32 - 1)[0].begin([]).parent == b""
    assert tracer(0.5, 2**31 - 1)[0].begin([]) is not None
    assert tracer(0.5, 2**31)[0].begin([]) is None


def test_a_broken_header_is_as_good_as_none():
    for bad in ([(b"traceparent", b"x" * 55)], header("zz"), header("01", trace="0" * 32)):
        assert tracer(0.0)[0].begin(bad) is None
        assert tracer(1.0)[0].begin(bad).trace.hex() != TRACE
