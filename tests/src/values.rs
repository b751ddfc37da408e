//! Values that break kernels: special ones, and dense samples of all f32.
