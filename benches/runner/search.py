"""The largest load that a server carries."""


def largest(carries, first, most, precision=0.05):
    """The largest size, from `first` to `most`, for which `carries(size)` is true.

    Doubles until it is not, then halves the interval until it is within `precision`. At most
    about a dozen runs. A size that fails is tried once more, because one hiccup of the machine is
    not the server's limit. 0 if `first` fails.
    """
    def carries_of_two(size):
        return carries(size) or carries(size)

    good, bad = 0, None
    size = first
    while bad is None and good < most:
        if carries_of_two(size):
            good, size = size, min(2 * size, most)
        else:
            bad = size
    while bad is not None and good and bad - good > max(1, precision * good):
        size = (good + bad) // 2
        if carries_of_two(size):
            good = size
        else:
            bad = size
    return good
