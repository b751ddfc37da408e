//! Batch normalisation.
