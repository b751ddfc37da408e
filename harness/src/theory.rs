//! Mean-field theory of signal propagation.
