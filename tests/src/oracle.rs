//! Oracles of the mathematical functions in double-double arithmetic.
