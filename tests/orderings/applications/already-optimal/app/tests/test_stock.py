from stock.main import STOCK


def test_nothing_is_owed():
    assert min(STOCK.values()) >= 0
