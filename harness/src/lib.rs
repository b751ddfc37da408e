//! Isobath measures how gradients vanish and explode in deep networks, says why, and runs the remedy.
#![cfg_attr(not(feature = "std"), no_std)]

pub mod activation;
pub mod data;
pub mod descent;
pub mod hash;
pub mod init;
pub mod net;
pub mod pretrain;
pub mod random;
pub mod threads;

#[cfg(feature = "std")]
pub mod accuracy;
#[cfg(feature = "std")]
pub mod architecture;
#[cfg(feature = "std")]
pub mod bench;
#[cfg(feature = "std")]
pub mod commands;
#[cfg(feature = "std")]
pub mod diagnose;
#[cfg(feature = "std")]
pub mod export;
#[cfg(feature = "std")]
pub mod machine;
#[cfg(feature = "std")]
pub mod memory;
#[cfg(feature = "std")]
pub mod probe;
#[cfg(feature = "std")]
pub mod report;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "std")]
mod statistics;
#[cfg(feature = "std")]
pub mod study;
#[cfg(feature = "std")]
mod suggest;
#[cfg(feature = "std")]
pub mod theory;
#[cfg(feature = "std")]
pub mod train;
#[cfg(feature = "std")]
pub mod verify;
#[cfg(feature = "std")]
pub mod weights;
#[cfg(feature = "std")]
pub mod zoo;
