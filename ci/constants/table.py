"""Turns the coefficients that erf.sollya and gelu.sollya print into the rows of a Rust table.

Run: sollya gelu.sollya | python3 table.py k
Each line of the input is a function's name, a piece, a power (7: the low word of the constant term) and a number.
"""

import struct
import sys

LOW = 7
PER_LINE = 6


def shortest(value):
    """The shortest decimal that rounds to this f32."""
    for digits in range(1, 12):
        text = f"{value:.{digits}e}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
            break
    significand, exponent = text.split("e")
    significand = significand.rstrip("0")
    significand += "0" if significand.endswith(".") else ""
    return significand if int(exponent) == 0 else f"{significand}e{int(exponent)}"


def array(numbers, indent):
    lines = [numbers[i : i + PER_LINE] for i in range(0, len(numbers), PER_LINE)]
    body = "".join(" " * (indent + 4) + ", ".join(line) + ",\n" for line in lines)
    return "[\n" + body + " " * indent + "]"


def main():
    name = sys.argv[1]
    terms = {}
    for line in sys.stdin:
        words = line.split()
        if len(words) == 4 and words[0] == name:
            terms.setdefault(int(words[2]), []).append(shortest(float(words[3])))
    indent = 4
    if LOW in terms:
        print(f"    value: {array(terms.pop(0), 4)},")
        print(f"    value_low: {array(terms.pop(LOW), 4)},")
        print("    rest: [")
        indent = 8
    for k in sorted(terms, reverse=True):
        print(f"{' ' * indent}{array(terms[k], indent)},")
    if indent == 8:
        print("    ],")


main()
