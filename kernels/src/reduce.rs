//! Reductions in a fixed order.
