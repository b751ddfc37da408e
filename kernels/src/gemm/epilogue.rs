//! What is done with each finished element of a product while it is still in a register.
//!
//! An epilogue is a type, not a value to branch on: firmware that uses one activation links one. Every epilogue
//! gives the bits of the product followed by the public kernel that it replaces.

use crate::activation::Activation;
use crate::part::part_mut;
use crate::simd::Simd;
use crate::view::MatMut;

/// Maps the sums of a product to what is stored in C.
pub trait Epilogue {
    /// The values to store in C for `sum`, whose first `lanes` lanes are the elements (row, column),
    /// (row, column + 1), ...; the lanes beyond are arbitrary.
    fn apply<S: Simd>(&mut self, simd: S, sum: S::F32, row: usize, column: usize, lanes: usize) -> S::F32;
}

/// Stores the sums.
#[derive(Clone, Copy, Debug)]
pub struct Store;

impl Epilogue for Store {
    #[inline(always)]
    fn apply<S: Simd>(&mut self, _: S, sum: S::F32, _: usize, _: usize, _: usize) -> S::F32 {
        sum
    }
}

/// Stores phi(sum).
#[derive(Clone, Copy, Debug)]
pub struct Activate<A>(
    /// phi.
    pub A,
);

impl<A: Activation> Epilogue for Activate<A> {
    #[inline(always)]
    fn apply<S: Simd>(&mut self, simd: S, sum: S::F32, _: usize, _: usize, _: usize) -> S::F32 {
        self.0.value(simd, sum)
    }
}

/// Stores phi(sum) in C and phi'(sum) in a second matrix of C's shape: what training keeps of a layer.
#[derive(Debug)]
pub struct ActivateWithDerivative<'a, A> {
    /// phi.
    pub activation: A,
    /// Receives phi'; elements beyond its shape are dropped.
    pub derivative: MatMut<'a>,
}

impl<A: Activation> Epilogue for ActivateWithDerivative<'_, A> {
    #[inline(always)]
    fn apply<S: Simd>(&mut self, simd: S, sum: S::F32, row: usize, column: usize, lanes: usize) -> S::F32 {
        let (value, derivative) = self.activation.value_and_derivative(simd, sum);
        simd.store(derivative, part_mut(self.derivative.row_mut(row), column, lanes));
        value
    }
}
