//! Sequences made here: tasks that are solved only by those who remember for T steps what they saw.
//!
//! [`adding`], [`copy`] and [`recall`] each fill inputs, step after step, and labels of the caller's. What has to be
//! remembered lies T steps before the answer, or up to T in the adding problem. Inputs are left as they are made: a
//! blank is 0.

pub mod adding;
pub mod copy;
pub mod recall;
