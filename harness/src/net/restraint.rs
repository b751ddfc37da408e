//! What holds weights back beside the gradient: decoupled decay before the optimiser's step, max-norm after it.
//!
//! - Decay, for any optimiser: w = w (1 - rate lambda), rounded once as AdamW's is, so that with Adam it gives AdamW's
//!   bits (Loshchilov and Hutter 2019). With a rate lambda above 1 weights change their sign.
//! - Max-norm: a unit's incoming weights, a *column* of W (fan-in x fan-out), are scaled to norm c where theirs is larger:
//!   w_j = w_j min(1, c / ||w_j||) (Srebro and Shraibman 2005; Srivastava et al. 2014).
//!
//! Dense weights alone, never biases, gains, shifts, slopes or scales of branches.
//! Cost: decay reads and writes the weights once; max-norm reads them twice, column by column, and writes what it scales.
//! Columns are gathered in a buffer.

use isobath_kernels::{Level, clip, optimizer};

/// How weights are held back.
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
/// use isobath::net::{Arena, Layer, Place, Plan, Restraint};
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let layers = [Layer::dense(1, Init::LECUN)];
/// let mut places = [Place::default()];
/// let plan = Plan::new(2, 1, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
/// arena.parameters.copy_from_slice(&[12.0, 16.0, 7.0]);
/// let plain = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
/// // Without a gradient: 12 and 16 decay to one half, and their norm, then 10, is cut to 5.
/// let restraint = Restraint { decay: 1.0, max_norm: Some(5.0) };
/// plain.with_restraint(restraint).apply(Level::detect(), &Serial, &plan, &mut arena, 0.5)?;
/// assert_eq!(arena.parameters, [3.0, 4.0, 7.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Restraint {
    /// lambda: each step multiplies weights by 1 - rate lambda. 0 is no decay.
    pub decay: f32,
    /// c: the largest norm of a unit's incoming weights, if there is one.
    pub max_norm: Option<f32>,
}

impl Restraint {
    /// Whether both figures are figures: 0 or positive, the decay finite.
    pub(super) fn is_valid(&self) -> bool {
        self.decay >= 0.0 && self.decay.is_finite() && self.max_norm.is_none_or(|limit| limit >= 0.0)
    }

    /// Before the optimiser's step.
    pub(super) fn decay(&self, level: Level, weights: &mut [f32], rate: f32) {
        if self.decay != 0.0 {
            optimizer::scale(level, libm::fmaf(-rate, self.decay, 1.0), weights);
        }
    }

    /// After it. `column` is as long as a column of the weights.
    pub(super) fn project(
        &self,
        level: Level,
        weights: &mut [f32],
        columns: usize,
        column: &mut [f32],
    ) -> Option<()> {
        let Some(limit) = self.max_norm else { return Some(()) };
        for unit in 0..columns {
            let own = weights.iter().skip(unit).step_by(columns);
            column.iter_mut().zip(own).for_each(|(to, from)| *to = *from);
            let report = clip::by_global_norm(level, &mut [&mut *column], limit).ok()?;
            if report.clipped > 0 {
                let own = weights.iter_mut().skip(unit).step_by(columns);
                own.zip(&*column).for_each(|(to, from)| *to = *from);
            }
        }
        Some(())
    }
}
