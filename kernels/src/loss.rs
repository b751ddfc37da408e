//! Losses with their gradients.
