//! Views of matrices.

use isobath_kernels::view::ViewError;
use isobath_kernels::{MatMut, MatRef};

use crate::elementwise::kernels;

kernels! {
    kernel_ref_new(x: &[f32], rows: usize, columns: usize) -> Result<MatRef<'_>, ViewError> =
        MatRef::new(x, rows, columns);
    kernel_ref_with_stride(x: &[f32], rows: usize, columns: usize, stride: usize) -> Result<MatRef<'_>, ViewError> =
        MatRef::with_stride(x, rows, columns, stride);
    kernel_ref_rows(x: MatRef<'_>) -> usize = x.rows();
    kernel_ref_columns(x: MatRef<'_>) -> usize = x.columns();
    kernel_ref_row(x: MatRef<'_>, i: usize) -> &[f32] = x.row(i);
    kernel_ref_as_slice(x: MatRef<'_>) -> Option<&[f32]> = x.as_slice();
    kernel_ref_sub_rows(x: MatRef<'_>, from: usize, to: usize) -> MatRef<'_> = x.sub_rows(from, to);
    kernel_ref_sub_columns(x: MatRef<'_>, from: usize, to: usize) -> MatRef<'_> = x.sub_columns(from, to);
    kernel_mut_new(x: &mut [f32], rows: usize, columns: usize) -> Result<MatMut<'_>, ViewError> =
        MatMut::new(x, rows, columns);
    kernel_mut_with_stride(
        x: &mut [f32], rows: usize, columns: usize, stride: usize
    ) -> Result<MatMut<'_>, ViewError> = MatMut::with_stride(x, rows, columns, stride);
    kernel_mut_rows(x: &MatMut<'_>) -> usize = x.rows();
    kernel_mut_columns(x: &MatMut<'_>) -> usize = x.columns();
    kernel_mut_reborrow(x: &mut MatMut<'_>) -> usize = x.reborrow().rows();
    kernel_mut_row(x: &MatMut<'_>, i: usize) -> Option<f32> = x.row(i).last().copied();
    kernel_mut_row_mut(x: &mut MatMut<'_>, i: usize) -> () = x.row_mut(i).fill(1.0);
    kernel_mut_split_rows(x: MatMut<'_>, at: usize) -> (MatMut<'_>, MatMut<'_>) = x.split_rows(at);
    kernel_mut_split_columns(x: MatMut<'_>, at: usize) -> (MatMut<'_>, MatMut<'_>) = x.split_columns(at);
}
