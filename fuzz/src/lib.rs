//! What is fuzzed: one module per target, each with a function `run` that takes any bytes and panics where a promise is broken.
//!
//! libFuzzer drives them from `fuzz_targets/`; `tests/corpus.rs` replays on stable what it has found worth keeping.

pub mod csv;
pub mod elementwise;
pub mod gemm;
pub mod idx;
pub mod norm_clip;
pub mod records;
pub mod safetensors;
pub mod toml;

mod bits;
mod folder;

/// A target: its name, which is that of its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 8] = [
    ("csv", csv::run),
    ("elementwise", elementwise::run),
    ("gemm", gemm::run),
    ("idx", idx::run),
    ("norm_clip", norm_clip::run),
    ("records", records::run),
    ("safetensors", safetensors::run),
    ("toml", toml::run),
];
