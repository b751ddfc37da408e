"""Finds middles for the pieces of gelu.sollya: m near j STEP at which Phi(-m) and the derivative of ln Phi(-a) are both
within 2^-30 of an f32, relative to what they are multiplied with, so that no table needs a second word.

Run: python3 centres.py  (prints the middles)
Source: the idea is that of accurate tables, Gal (1986).
"""

import math
import struct

STEP = 7 / 8
RADIUS = 0.012  # how far a middle may lie from a multiple of the step


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def badness(m):
    tail = math.erfc(m / math.sqrt(2)) / 2
    slope = math.exp(-m * m / 2) / math.sqrt(2 * math.pi) / tail
    return max(abs(f32(tail) / tail - 1), abs(f32(slope) - slope) * STEP / 2)


def f32_between(low, high):
    first, last = (struct.unpack("I", struct.pack("f", x))[0] for x in (low, high))
    for bits in range(first, last, max(1, (last - first) // 400_000)):
        yield struct.unpack("f", struct.pack("I", bits))[0]


print(0.0)
for j in range(1, 8):
    print(min(f32_between(j * STEP - RADIUS, j * STEP + RADIUS), key=badness))
