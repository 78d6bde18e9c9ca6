from orders.totals import total


def test_a_total_is_the_sum_of_the_lines():
    assert total([("tea", 2, 350), ("cup", 1, 900)]) == 1600
