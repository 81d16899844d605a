"""The generator that the tests repeat in Swift, so that no data needs committing."""

MASK = (1 << 64) - 1


def stream(seed):
    """Yields numbers in [0, 1) from the upper bits of a linear congruential generator."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        yield (state >> 11) * 2.0**-53


def normal(u):
    """A nearly normal number: twelve uniform ones added up."""
    return sum(next(u) for _ in range(12)) - 6.0
