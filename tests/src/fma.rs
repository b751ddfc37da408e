//! Fused multiply-add of f32 by integers alone, sharing no code with the kernels.
