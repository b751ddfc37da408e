//! What a recurrent layer keeps of a pass: one run of the arena's values, cut up for the rows in use.

use super::{Recurrent, Sizes};

/// Lengths of one row's share, in the order of [`Kept`].
const PARTS: usize = 9;

/// The parts; each holds T blocks of B rows where nothing else is said.
pub(super) struct Kept<'a> {
    /// x, F columns.
    pub(super) x: &'a mut [f32],
    /// h_0 to h_T: T + 1 blocks.
    pub(super) h: &'a mut [f32],
    /// The factors of the way back, a block of columns per gate; before that, x W + b.
    pub(super) gates: &'a mut [f32],
    /// What else the way back needs.
    pub(super) more: &'a mut [f32],
    /// D.
    pub(super) deltas: &'a mut [f32],
    /// Of each step, the power of two of D; B T, of which T are used.
    pub(super) exponents: &'a mut [f32],
    /// c on the way forward, its gradient on the way back: one block.
    pub(super) memory: &'a mut [f32],
    /// h U of a step: one block.
    pub(super) recalled: &'a mut [f32],
    /// Six blocks for a step to work in.
    pub(super) scratch: &'a mut [f32],
}

impl Recurrent {
    fn parts(&self, sizes: &Sizes) -> Option<[usize; PARTS]> {
        let Self { cell, units: n, .. } = *self;
        let Sizes { steps, features, .. } = *sizes;
        let all = |columns: usize| columns.checked_mul(n)?.checked_mul(steps);
        let states = steps.checked_add(1)?.checked_mul(n)?;
        Some([
            features.checked_mul(steps)?,
            states,
            all(cell.gates())?,
            all(cell.more())?,
            all(cell.deltas())?,
            steps,
            n,
            cell.gates().checked_mul(n)?,
            n.checked_mul(6)?,
        ])
    }

    /// Values kept per row; none where they are more than memory holds.
    pub(in crate::net) fn kept(&self, sizes: &Sizes) -> Option<usize> {
        self.parts(sizes)?.into_iter().try_fold(0, usize::checked_add)
    }

    /// Cuts up the memory for so many rows.
    pub(super) fn cut<'a>(&self, memory: &'a mut [f32], rows: usize, sizes: &Sizes) -> Option<Kept<'a>> {
        let mut rest = memory;
        let mut parts: [&mut [f32]; PARTS] = Default::default();
        for (part, length) in parts.iter_mut().zip(self.parts(sizes)?) {
            let (taken, left) = rest.split_at_mut_checked(length * rows)?;
            (*part, rest) = (taken, left);
        }
        let [x, h, gates, more, deltas, exponents, memory, recalled, scratch] = parts;
        Some(Kept { x, h, gates, more, deltas, exponents, memory, recalled, scratch })
    }
}

/// Copies rows of `blocks` blocks of `columns` values to blocks of rows: from the order of a batch to that of time.
pub(super) fn to_steps(rows: &[f32], blocks: usize, columns: usize, steps: &mut [f32]) {
    let batch = rows.len() / (blocks * columns).max(1);
    for (row, values) in rows.chunks_exact((blocks * columns).max(1)).enumerate() {
        for (t, block) in values.chunks_exact(columns.max(1)).enumerate() {
            let at = (t * batch + row) * columns;
            if let Some(to) = steps.get_mut(at..at + columns) {
                to.copy_from_slice(block);
            }
        }
    }
}

/// The way back of [`to_steps`].
pub(super) fn to_rows(steps: &[f32], blocks: usize, columns: usize, rows: &mut [f32]) {
    let batch = rows.len() / (blocks * columns).max(1);
    for (row, values) in rows.chunks_exact_mut((blocks * columns).max(1)).enumerate() {
        for (t, block) in values.chunks_exact_mut(columns.max(1)).enumerate() {
            let at = (t * batch + row) * columns;
            if let Some(from) = steps.get(at..at + columns) {
                block.copy_from_slice(from);
            }
        }
    }
}
