//! What the tests of Isobath share: oracles that are independent of the code under test, generators, distances.
#![allow(clippy::missing_panics_doc, reason = "oracles and assertions panic on purpose")]

pub mod autoencoder;
pub mod boltzmann;
pub mod case;
pub mod contrary;
pub mod convolution;
pub mod fma;
#[cfg(unix)]
pub mod guard;
pub mod hash;
pub mod levels;
pub mod naive_gemm;
pub mod network;
pub mod public_api;
pub mod recurrent;
pub mod reference;
pub mod soft;
pub mod soft_network;
pub mod values;
pub mod zoo;

/// The code of the guide, run as documentation tests.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../docs/guide/en/src/kernels.md")]
    mod kernels {}
}
