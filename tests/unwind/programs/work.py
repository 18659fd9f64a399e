"""Allocates through the interpreter, callbacks from C, threads and exceptions."""
import functools
import json
import os
import re
import threading


def compare(left, right):
    return len(str(left) * 3) - len(str(right) * 3)


def descend(depth):
    if depth == 0:
        raise ValueError([str(number) for number in range(9)])
    try:
        return descend(depth - 1)
    except ValueError as error:
        raise ValueError(json.loads(json.dumps(error.args[0]))) from None


def work():
    for number in range(10 ** 6):
        sorted(range(number % 20), key=functools.cmp_to_key(compare))
        re.sub("a+", lambda match: match.group() * 2, "baaab" * 5)
        try:
            descend(number % 9)
        except ValueError as error:
            str(error)


os.getppid()
threading.Thread(target=work, daemon=True).start()
work()
