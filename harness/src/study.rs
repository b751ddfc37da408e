//! A study: sick networks, their remedies, a fair trial of each, and what came out.

pub mod summary;
