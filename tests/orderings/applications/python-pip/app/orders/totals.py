"""What an order costs."""


def total(lines):
    """Return the sum of an order's lines in cents."""
    return sum(count * cents for _name, count, cents in lines)
