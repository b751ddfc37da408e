//! One matrix product, shared among threads by the rows of its result.

use isobath_kernels::gemm::{Gemm, GemmError, Init, Shape, Store};
use isobath_kernels::{Level, MatMut, MatRef};

use crate::threads::Threads;

/// Multiply-adds below which a product is not worth another thread: waking one costs microseconds.
const WORTH_A_THREAD: usize = 1 << 20;

/// C = init + op(A) op(B), on as many threads as the product is worth. `workspace` is shared out among them.
pub(crate) fn multiply<T: Threads>(
    level: Level,
    threads: &T,
    shape: Shape,
    a: MatRef<'_>,
    b: MatRef<'_>,
    c: MatMut<'_>,
    init: Init<'_>,
    workspace: &mut [f32],
) -> Result<(), GemmError> {
    let pieces = pieces(threads, shape);
    split(level, threads, pieces, shape, a, b, c, init, workspace)
}

/// Into how many pieces such a product is worth being cut.
pub(super) fn pieces<T: Threads>(threads: &T, shape: Shape) -> usize {
    let work = shape.m.saturating_mul(shape.n).saturating_mul(shape.k);
    threads.count().min(work / WORTH_A_THREAD).max(1)
}

fn split<T: Threads>(
    level: Level,
    threads: &T,
    pieces: usize,
    shape: Shape,
    a: MatRef<'_>,
    b: MatRef<'_>,
    mut c: MatMut<'_>,
    init: Init<'_>,
    workspace: &mut [f32],
) -> Result<(), GemmError> {
    if pieces <= 1 || shape.m < 2 {
        let gemm = Gemm::new(level, shape);
        let length = gemm.workspace_len();
        let workspace = workspace.get_mut(..length).unwrap_or_default();
        return gemm.run(a, b, &mut c, init, workspace, Store);
    }
    let upper_pieces = pieces / 2;
    let at = shape.m * upper_pieces / pieces;
    let (upper_a, lower_a) = if shape.transpose_a {
        (a.sub_columns(0, at), a.sub_columns(at, shape.m))
    } else {
        (a.sub_rows(0, at), a.sub_rows(at, shape.m))
    };
    let (upper_c, lower_c) = c.split_rows(at);
    let (upper_space, lower_space) = workspace.split_at_mut(workspace.len() / pieces * upper_pieces);
    let (mut upper, mut lower) = (Ok(()), Ok(()));
    threads.join(
        |team| {
            let shape = Shape { m: at, ..shape };
            upper = split(level, team, upper_pieces, shape, upper_a, b, upper_c, init, upper_space);
        },
        |team| {
            let shape = Shape { m: shape.m - at, ..shape };
            let pieces = pieces - upper_pieces;
            lower = split(level, team, pieces, shape, lower_a, b, lower_c, init, lower_space);
        },
    );
    upper.and(lower)
}
