//! Random numbers whose bits are the same everywhere.
