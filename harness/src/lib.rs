//! Isobath measures how gradients vanish and explode in deep networks, says why, and runs the remedy.
#![cfg_attr(not(feature = "std"), no_std)]

pub mod activation;
#[cfg(feature = "std")]
pub mod data;
pub mod random;
#[cfg(feature = "std")]
pub mod report;
#[cfg(feature = "std")]
pub mod study;
#[cfg(feature = "std")]
pub mod theory;
