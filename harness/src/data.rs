//! Sources of data: generated (glyphs, spirals, teacher, gaussian, sequences) and files (IDX, CSV).
//!
//! Generators fill slices of the caller's and need neither std nor an allocator; [`Source`] gathers them
//! and the files into standardised splits.

#[cfg(feature = "std")]
mod csv;
#[cfg(feature = "std")]
mod dataset;
#[cfg(feature = "std")]
mod error;
mod font;
#[cfg(feature = "std")]
mod form;
pub mod gaussian;
pub mod glyphs;
#[cfg(feature = "std")]
mod idx;
mod scale;
pub mod sequence;
#[cfg(feature = "std")]
mod source;
pub mod spirals;
#[cfg(feature = "std")]
mod split;
pub mod teacher;

#[cfg(feature = "std")]
pub use dataset::{Dataset, Splits};
#[cfg(feature = "std")]
pub use error::DataError;
#[cfg(feature = "std")]
pub use form::{Form, Target};
pub use scale::Scale;
#[cfg(feature = "std")]
pub use source::{Sizes, Source};
