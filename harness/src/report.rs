//! The pages and tables that show a study. They read a [`Summary`](crate::study::summary::Summary) and nothing else.
//!
//! [`html`] is one self-contained page, [`table`] is text for a terminal, [`verdict`] is the answer in words that both
//! of them give. None of them can fail: what a study does not have is left out or said to be missing. [`phase`] and
//! [`activation`] are figures of their own: theory's phase diagram, an activation with its slope.

pub mod activation;
mod answer;
mod axis;
mod band;
mod bars;
mod chart;
mod claims;
pub(crate) mod document;
mod figure;
mod figures;
mod files;
pub(crate) mod format;
mod group;
mod heat;
mod histogram;
mod mark;
mod overview;
pub(crate) mod page;
pub mod phase;
mod picture;
mod points;
mod ranking;
mod spectra;
mod speed;
mod steps;
mod sweep;
mod terminal;
mod theory;
mod thin;
mod time;
mod treatment;
mod tuning;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

pub use answer::verdict;
pub use page::html;
pub use terminal::{table, timings};
