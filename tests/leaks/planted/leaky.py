# Calls every function of the leaky extension, from a stack of Python calls.
# Usage: leaky.py DIRECTORY_OF_THE_EXTENSION leak|clean

import sys

sys.path.insert(0, sys.argv[1])
import leaky


def call(function, clean):
    function(clean)


def main():
    clean = sys.argv[2] == "clean"
    for name in sorted(vars(leaky)):
        if name.startswith("keep_"):
            call(getattr(leaky, name), clean)
    print("freed everything" if clean else "leaked as planned")


main()
