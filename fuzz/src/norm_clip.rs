//! Normalisation, clipping and reductions on any bit patterns, shapes, strides and alignments: no panic, nothing written outside
//! the results, and on every level the same results and errors.

use arbitrary::{Arbitrary, Result, Unstructured};
use isobath_kernels::batch_norm::{self, BatchStatistics};
use isobath_kernels::{Level, MatMut, MatRef, clip, layer_norm, reduce};
use isobath_tests::hash::assert_same_bits;
use isobath_tests::levels;

use crate::bits::{POISON, Pool};

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kernel {
    BatchNorm,
    BatchNormInference,
    LayerNorm,
    ClipByValue,
    ClipByNorm,
    ClipAdaptively,
    Reductions,
}

/// The operands of one case.
#[derive(Debug)]
struct Case {
    kernel: Kernel,
    rows: usize,
    columns: usize,
    stride: usize,
    offset: usize,
    x: Vec<f32>,
    dy: Vec<f32>,
    /// Gain, shift, mean and variance, each one row.
    vectors: [Vec<f32>; 4],
    epsilon: f32,
    bound: f32,
}

/// What a kernel wrote, and what it said of it in words, in which every NaN is the same.
type Outcome = (Vec<f32>, String);

/// Runs one kernel on every level.
pub fn run(bytes: &[u8]) {
    let Ok(case) = draw(&mut Unstructured::new(bytes)) else { return };
    let expected = case.run(Level::SCALAR);
    for level in levels::all() {
        let found = case.run(level);
        let what = format!("{:?} of {} x {} at {}", case.kernel, case.rows, case.columns, level.name());
        assert_same_bits(&expected.0, &found.0, &what);
        assert_eq!(expected.1, found.1, "{what}");
    }
}

fn draw(input: &mut Unstructured<'_>) -> Result<Case> {
    let kernel = input.arbitrary()?;
    let rows = input.int_in_range(0..=130)?;
    let columns = input.int_in_range(0..=70)?;
    let stride = columns + input.int_in_range(0..=17)?;
    let offset = input.int_in_range(0..=15)?;
    let (epsilon, bound) = (f32::from_bits(input.arbitrary()?), f32::from_bits(input.arbitrary()?));
    let moderate = input.arbitrary()?;
    let mut pool = Pool::new(input, moderate)?;
    let x = pool.matrix(rows, columns, stride, offset);
    let dy = pool.matrix(rows, columns, stride, offset);
    let vectors = std::array::from_fn(|_| pool.vector(columns, offset));
    Ok(Case { kernel, rows, columns, stride, offset, x, dy, vectors, epsilon, bound })
}

impl Case {
    fn view<'a>(&self, data: &'a [f32]) -> MatRef<'a> {
        MatRef::with_stride(&data[self.offset..], self.rows, self.columns, self.stride).expect("it fits")
    }

    fn view_mut<'a>(&self, data: &'a mut [f32]) -> MatMut<'a> {
        MatMut::with_stride(&mut data[self.offset..], self.rows, self.columns, self.stride).expect("it fits")
    }

    fn run(&self, level: Level) -> Outcome {
        match self.kernel {
            Kernel::BatchNorm => self.batch_norm(level),
            Kernel::BatchNormInference => self.inference(level),
            Kernel::LayerNorm => self.layer_norm(level),
            Kernel::ClipByValue => self.clip(|g| format!("{:?}", clip::by_value(level, g, self.bound))),
            Kernel::ClipByNorm => self.clip(|g| {
                let (first, second) = g.split_at_mut(g.len() / 3);
                format!("{:?}", clip::by_global_norm(level, &mut [first, second], self.bound))
            }),
            Kernel::ClipAdaptively => self.clip_adaptively(level),
            Kernel::Reductions => self.reductions(level),
        }
    }

    fn batch_norm(&self, level: Level) -> Outcome {
        let [gamma, beta, ..] = self.vectors.each_ref().map(|vector| &vector[self.offset..]);
        let fresh = || vec![POISON; self.columns];
        let mut y = vec![POISON; self.x.len()];
        let (mut mean, mut inv_std, mut variance) = (fresh(), fresh(), fresh());
        let saved = BatchStatistics { mean: &mut mean, inv_std: &mut inv_std, variance: &mut variance };
        let x = self.view(&self.x);
        let forward =
            batch_norm::forward_training(level, x, gamma, beta, self.epsilon, self.view_mut(&mut y), saved);
        let mut dx = vec![POISON; self.x.len()];
        let (mut d_gamma, mut d_beta) = (fresh(), fresh());
        let (dy, into) = (self.view(&self.dy), self.view_mut(&mut dx));
        let backward =
            batch_norm::backward(level, x, dy, gamma, &mean, &inv_std, into, &mut d_gamma, &mut d_beta);
        let mut in_place = self.dy.clone();
        let (mut again, mut once_more) = (fresh(), fresh());
        let into = self.view_mut(&mut in_place);
        let backward_in_place =
            batch_norm::backward_in_place(level, x, into, gamma, &mean, &inv_std, &mut again, &mut once_more);
        if forward.is_ok() {
            let view = self.view(&in_place);
            for row in 0..self.rows {
                assert_same_bits(self.view(&dx).row(row), view.row(row), "backward in place");
            }
        }
        let (mut running_mean, mut running_variance) = (gamma.to_vec(), beta.to_vec());
        let update = batch_norm::update_running(
            level,
            &mut running_mean,
            &mut running_variance,
            &mean,
            &variance,
            0.1,
            self.rows,
        );
        let written =
            [y, mean, inv_std, variance, dx, d_gamma, d_beta, running_mean, running_variance].concat();
        (written, format!("{forward:?} {backward:?} {backward_in_place:?} {update:?}"))
    }

    fn inference(&self, level: Level) -> Outcome {
        let [gamma, beta, mean, variance] = self.vectors.each_ref().map(|vector| &vector[self.offset..]);
        let mut y = vec![POISON; self.x.len()];
        let (x, into) = (self.view(&self.x), self.view_mut(&mut y));
        let result = batch_norm::forward_inference(level, x, gamma, beta, mean, variance, self.epsilon, into);
        let mut in_place = self.x.clone();
        let into = self.view_mut(&mut in_place);
        let result_in_place =
            batch_norm::forward_inference_in_place(level, into, gamma, beta, mean, variance, self.epsilon);
        for row in 0..self.rows {
            assert_same_bits(self.view(&y).row(row), self.view(&in_place).row(row), "inference in place");
        }
        (y, format!("{result:?} {result_in_place:?}"))
    }

    fn layer_norm(&self, level: Level) -> Outcome {
        let [gamma, beta, ..] = self.vectors.each_ref().map(|vector| &vector[self.offset..]);
        let mut y = vec![POISON; self.x.len()];
        let (mut mean, mut inv_std) = (vec![POISON; self.rows], vec![POISON; self.rows]);
        let x = self.view(&self.x);
        let into = self.view_mut(&mut y);
        let forward = layer_norm::forward(level, x, gamma, beta, self.epsilon, into, &mut mean, &mut inv_std);
        let mut dx = vec![POISON; self.x.len()];
        let (mut d_gamma, mut d_beta) = (vec![POISON; self.columns], vec![POISON; self.columns]);
        let (dy, into) = (self.view(&self.dy), self.view_mut(&mut dx));
        let backward =
            layer_norm::backward(level, x, dy, gamma, &mean, &inv_std, into, &mut d_gamma, &mut d_beta);
        ([y, mean, inv_std, dx, d_gamma, d_beta].concat(), format!("{forward:?} {backward:?}"))
    }

    /// Clips the gradient as one slice.
    fn clip(&self, clip: impl Fn(&mut [f32]) -> String) -> Outcome {
        let mut g = self.x.clone();
        let said = clip(&mut g[self.offset..]);
        (g, said)
    }

    fn clip_adaptively(&self, level: Level) -> Outcome {
        let mut g = self.x.clone();
        let (w, into) = (self.view(&self.dy), self.view_mut(&mut g));
        let said = clip::adaptive(level, w, into, self.bound, self.epsilon);
        (g, format!("{said:?}"))
    }

    fn reductions(&self, level: Level) -> Outcome {
        let (x, dy) = (&self.x[self.offset..], &self.dy[self.offset..]);
        let mut columns = vec![POISON; self.columns];
        let said = format!(
            "{:?} {:?} {:?}",
            reduce::column_sums(level, self.view(&self.x), &mut columns),
            reduce::norm(level, x),
            reduce::norm_of_slices(level, &[x, dy]),
        );
        columns.push(reduce::sum(level, x));
        columns.push(reduce::dot(level, x, dy).expect("of one length"));
        columns.push(reduce::max_abs(level, x));
        (columns, said)
    }
}
