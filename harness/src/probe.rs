//! Probing: many networks of one ensemble at initialisation, what each hidden layer does to signal and gradient, what
//! theory says to that, and a verdict.
//!
//! Hidden layers are numbered 1 (next to the input) to L. delta^l is the gradient of the loss with respect to phi's
//! input in layer l, in a residual network with respect to block l's input; factor_l = ||delta^l|| / ||delta^{l+1}||,
//! the top one of a residual network against the last block's output. Figures are means of logarithms over networks.

mod cell;
mod cost;
mod defect;
mod figures;
mod frozen;
mod jacobian;
mod measure;
mod moments;
mod net;
mod pair;
mod rank;
mod remedy;
mod saturation;
mod setup;
mod signs;
mod sounding;
mod verdict;

pub use cell::{Cell, CellFix, CellReport, CellSetup, cell_fix, probe_cell};
pub(crate) use cost::{LEAST_ROWS, PROBES, Probe, Step};
pub use figures::{Interval, Jacobian, LayerRow, LogGain, Measured, Row, Sample};
pub(crate) use jacobian::SPECTRUM_SAMPLES;
pub use jacobian::{LARGEST as LARGEST_JACOBIAN, Spectrum};
pub(crate) use measure::networks;
pub use measure::{Failed, Figures, ProbeError, Tally, measure};
pub(crate) use moments::moments;
pub(crate) use net::{Inputs, Net, Outcome, weight_norms};
pub(crate) use rank::mean_rank;
pub use remedy::{Fix, Remedy};
pub(crate) use saturation::Saturation;
pub use setup::{Cotangent, NORM_BATCH, SURVEY_ROWS, Setup};
pub(crate) use signs::{NEIGHBOURS, Signs};
pub use verdict::{Cause, Extent, HEALTHY, Kind, SICK, Verdict};

use isobath_kernels::Level;

use crate::data::Dataset;
use crate::theory::{Prediction, predict};

/// Everything a probe says.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, probe};
/// use isobath_kernels::Level;
///
/// let setup = Setup::plain(Architecture::plain(10, 32, Activation::Sigmoid, Init::XAVIER), 1);
/// let report = probe(&setup, None, Level::detect())?;
/// // Eight networks and the theory agree on what a layer leaves of the squared gradient.
/// let (measured, predicted) = (report.figures.measured.chi.mean.unwrap(), report.theory.chi.unwrap());
/// assert!((measured / predicted - 1.0).abs() < 0.1);
/// // The gradient is lost, and what was done about it keeps it.
/// assert!(report.verdict.kind.is_sick());
/// assert!((0.9..1.1).contains(&report.fix.unwrap().measured_factor.unwrap()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    /// What theory predicts.
    pub theory: Prediction,
    /// What was measured.
    pub figures: Figures,
    /// What it means.
    pub verdict: Verdict,
    /// What was done about it; none where nothing is wrong, or nothing is known to help.
    pub fix: Option<Fix>,
}

/// Measures the networks of `setup` on Gaussian inputs, or on inputs drawn from `data`, judges them, and runs the
/// remedy if they are sick. Networks run in parallel on the current thread pool; no bit depends on it.
///
/// # Errors
/// The setup is no network, does not fit the data or the memory.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Kind, Setup, probe};
/// use isobath_kernels::Level;
///
/// // Does the gradient of ten sigmoid layers of 32 units arrive?
/// let setup = Setup::plain(Architecture::plain(10, 32, Activation::Sigmoid, Init::XAVIER), 1);
/// let report = probe(&setup, None, Level::detect())?;
/// assert_eq!(report.verdict.kind, Kind::Vanishing);
/// let (measured, predicted) = (report.figures.measured.chi.mean, report.theory.chi);
/// println!("chi {measured:?}, predicted {predicted:?}; fix: {:?}", report.fix);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn probe(setup: &Setup, data: Option<&Dataset>, level: Level) -> Result<Report, ProbeError> {
    let theory = predict(&setup.question(data))?;
    let figures = measure(setup, data, level, &theory)?;
    let verdict = verdict::judge(setup, &figures, &theory);
    let fix = remedy::fix(setup, data, level, &verdict)?;
    Ok(Report { theory, figures, verdict, fix })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::architecture::Architecture;
    use crate::init::Init;

    /// Theory that is wrong by 5 % per layer must change nothing that is measured, and show.
    #[test]
    fn wrong_theory_moves_no_verdict_and_is_seen() {
        for (activation, init, depth, width) in [
            (Activation::Sigmoid, Init::XAVIER, 20, 128),
            (Activation::Relu, Init::HE, 20, 256),
            (Activation::Relu, Init::UNIFORM, 20, 128),
            (Activation::Tanh, Init::gaussian(2.5, 0.05), 20, 256),
        ] {
            let setup = Setup::plain(Architecture::plain(depth, width, activation, init), 3);
            let sound = predict(&setup.question(None)).unwrap();
            let decades = 1.05f64.log10() * setup.factors() as f64;
            let mut wrong = sound.clone();
            wrong.log10_delta_ratio = wrong.log10_delta_ratio.map(|ratio| ratio + decades);
            wrong.band95 = wrong.band95.map(|(low, high)| (low + decades, high + decades));
            wrong.rate_norm = wrong.rate_norm.map(|rate| rate * 1.05);
            wrong.rate_squared = wrong.rate_squared.map(|rate| rate * 1.05 * 1.05);
            let judged = |theory| {
                let figures = measure(&setup, None, Level::detect(), theory).unwrap();
                (verdict::judge(&setup, &figures, theory), figures.measured)
            };
            let ((before, held), (after, off)) = (judged(&sound), judged(&wrong));
            assert_eq!(before, after, "{activation}");
            assert_eq!(Measured { z: None, ..held }, Measured { z: None, ..off }, "{activation}");
            assert!(
                held.z.unwrap().abs() < 3.3 && off.z.unwrap().abs() > 3.3,
                "{activation}: {:?}, {:?}",
                held.z,
                off.z
            );
        }
    }
}
