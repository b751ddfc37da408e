//! Activation functions, their derivatives and fused backward passes.
