//! Oracles
