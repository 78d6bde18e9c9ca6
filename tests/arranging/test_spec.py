"""What ``--orderings`` may say."""

from __future__ import annotations

import pytest

from bench.arranging import OrderingsSpec
from bench.errors import UsageError


def test_kinds_and_their_numbers_are_read() -> None:
    spec = OrderingsSpec.parse("best:3, worst,random:4,baseline")
    assert spec == OrderingsSpec(best=3, worst=1, random=4, baseline=True)
    assert spec.asked == 8
    assert OrderingsSpec.parse(str(spec)) == spec
    assert OrderingsSpec.parse("all,baseline") == OrderingsSpec(all=True, baseline=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not understand ''"),
        ("best:3,first:1", "does not understand 'first:1'"),
        ("best:3,best:2", "does not understand 'best:2'"),
        ("best:0", "between 1 and 50"),
        ("random:51", "between 1 and 50"),
        ("best:-1", "does not understand 'best:-1'"),
        ("baseline", "alone builds the Dockerfile as written"),
        ("all,best:2", "holds best already"),
    ],
)
def test_anything_else_is_refused_with_an_example(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        OrderingsSpec.parse(text)
    assert "best:3" in str(refused.value)
