//! Kernels in f32 for training neural networks, with the same bits on every machine.
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
pub mod reduce;
pub mod residual;
pub mod simd;
pub mod view;

pub use length::LengthError;
pub use simd::Level;
pub use view::{MatMut, MatRef};

/// Version of the bits: raised whenever any kernel's result changes for any input.
pub const NUMERICS_VERSION: u32 = 1;
