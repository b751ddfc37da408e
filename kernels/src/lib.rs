#![doc = include_str!("../README.md")]
//!
//! # Contract
//!
//! Arithmetic is IEEE-754 binary32, rounded to nearest even, with subnormals; multiply-add is always fused. Sums have an order that is part of each
//! kernel's definition, see [`gemm`] and [`reduce`]. NaN in gives NaN out, but the payload of a NaN is no part of the contract. Out of it are x87
//! arithmetic (i586) and hosts that set flush-to-zero. A change of any bit raises [`NUMERICS_VERSION`].
//!
//! The first argument of every kernel is a [`Level`]: an instruction set that this CPU has. It is a matter of speed alone.
#![no_std]

pub mod activation;
pub mod batch_norm;
pub mod clip;
pub mod gemm;
pub mod layer_norm;
mod length;
pub mod loss;
pub mod math;
pub mod optimizer;
mod part;
pub mod peak;
pub mod reduce;
pub mod residual;
pub mod simd;
#[cfg_attr(
    all(target_os = "none", target_abi = "eabihf"),
    allow(dead_code, unused_imports, reason = "the assembly of Cortex-M needs no strips")
)]
pub mod view;

pub use length::LengthError;
pub use simd::Level;
pub use view::{MatMut, MatRef};

/// Version of the bits: raised whenever any kernel's result changes for any input.
pub const NUMERICS_VERSION: u32 = 3;
