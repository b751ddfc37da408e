//! One case: what is true of an ensemble, and what the diagnosis of eight of its networks says.
//!
//! The truth is the median over simulated networks of log10(||delta^1|| / ||delta^L||), with the survey of some of them
//! where the size is sound: the same limits as the verdict's, on figures of which the verdict knows nothing.

use std::fmt;

use isobath_kernels::Level;
use rayon::prelude::*;

use super::ensemble::{Ensemble, Fault};
use super::simulation::{Seen, Survey};
use super::subject;
use crate::diagnose::{Diagnosis, Record, judge_networks};
use crate::probe::{Cause, HEALTHY, Kind, ProbeError, SICK, Signs};
use crate::statistics::{Moments, median};

/// Simulated networks with a survey.
const SURVEYED: u64 = 48;

/// What an ensemble is, or is said to be.
///
/// ```
/// use isobath::probe::Kind;
/// use isobath::zoo::Class;
///
/// assert_eq!(Class::Whole(Kind::Vanishing).to_string(), "vanishing");
/// assert_eq!(Class::LocalDefect.to_string(), "local defect");
/// assert_eq!(Class::BORDERLINE, Class::Whole(Kind::Borderline));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A kind of all layers.
    Whole(Kind),
    /// One layer has wrong parameters, and the gradient passes all the same.
    LocalDefect,
}

impl Class {
    /// All, in the order of the confusion matrix.
    pub const ALL: [Self; 9] = [
        Self::Whole(Kind::Vanishing),
        Self::Whole(Kind::Exploding),
        Self::Whole(Kind::Dead),
        Self::Whole(Kind::Saturated),
        Self::Whole(Kind::RankCollapse),
        Self::Whole(Kind::Shattering),
        Self::LocalDefect,
        Self::Whole(Kind::Healthy),
        Self::BORDERLINE,
    ];
    /// Neither sick nor healthy.
    pub const BORDERLINE: Self = Self::Whole(Kind::Borderline);
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(kind) => kind.fmt(f),
            Self::LocalDefect => f.pad("local defect"),
        }
    }
}

/// The stated interval of the gradient's decades beside the truth.
///
/// ```
/// use isobath::zoo::{Case, Ensemble, Input, Phi, Weights};
/// use isobath_kernels::Level;
/// # let ensemble = Ensemble {
/// #     phi: Phi::Sigmoid,
/// #     weights: Weights::Gaussian,
/// #     weight_variance: 1.0,
/// #     bias_variance: 0.0,
/// #     depth: 8,
/// #     width: 32,
/// #     batch: 1,
/// #     input: Input::Gaussian(0.25),
/// #     loss: false,
/// #     fault: None,
/// # };
///
/// // Eight sigmoid layers of 32 units.
/// // Of eight networks' rate: Student's interval, wider than that of a known spread by about a fifth.
/// let interval = Case::new(ensemble, 16, 1, Level::detect())?.interval.unwrap();
/// assert!(interval.covers && (0.5..2.0).contains(&interval.width));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Whether it holds the true mean.
    pub covers: bool,
    /// Its width over that of a 95 % interval of as many networks whose spread is known.
    pub width: f64,
}

/// An ensemble, its truth and its diagnosis.
///
/// ```
/// use isobath::probe::Kind;
/// use isobath::zoo::{Case, Class, Ensemble, Input, Phi, Weights};
/// use isobath_kernels::Level;
/// # let ensemble = Ensemble {
/// #     phi: Phi::Sigmoid,
/// #     weights: Weights::Gaussian,
/// #     weight_variance: 1.0,
/// #     bias_variance: 0.0,
/// #     depth: 8,
/// #     width: 32,
/// #     batch: 1,
/// #     input: Input::Gaussian(0.25),
/// #     loss: false,
/// #     fault: None,
/// # };
///
/// // Eight sigmoid layers of 32 units.
/// // Sigmoids lose the gradient; so the diagnosis says, and its remedy keeps it.
/// let case = Case::new(ensemble, 16, 1, Level::detect())?;
/// assert_eq!((case.truth, case.verdict), (Class::Whole(Kind::Vanishing), Class::Whole(Kind::Vanishing)));
/// assert!(case.decades.unwrap() < -4.0 && case.after_fix.unwrap().abs() < 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Case {
    /// The networks.
    pub ensemble: Ensemble,
    /// What they are.
    pub truth: Class,
    /// What they were said to be.
    pub verdict: Class,
    /// The layer that was blamed.
    pub layer: Option<usize>,
    /// The true median of log10 of the ratio, where there is one.
    pub decades: Option<f64>,
    /// None for faulty networks and those without a rate.
    pub interval: Option<Interval>,
    /// log10 of the ratio once the fix has been run; none for faulty networks, healthy ones and those without a fix.
    pub after_fix: Option<f64>,
    /// The whole diagnosis.
    pub diagnosis: Diagnosis,
}

impl Case {
    /// Simulates `nets` networks for the truth, and diagnoses eight others, which depend on `seed`. Runs on the current
    /// thread pool.
    ///
    /// # Errors
    /// The networks do not fit into memory.
    ///
    /// ```
    /// use isobath::probe::Kind;
    /// use isobath::zoo::{Case, Class, Ensemble, Fault, Input, Phi, Weights};
    /// use isobath_kernels::Level;
    ///
    /// let ensemble = Ensemble {
    ///     phi: Phi::Sigmoid,
    ///     weights: Weights::Gaussian,
    ///     weight_variance: 1.0,
    ///     bias_variance: 0.0,
    ///     depth: 8,
    ///     width: 32,
    ///     batch: 1,
    ///     input: Input::Gaussian(0.25),
    ///     loss: false,
    ///     fault: None,
    /// };
    /// // ReLUs that would be sound, but for layer 3, whose weights are all 0.
    /// let silent =
    ///     Ensemble { phi: Phi::Relu, weight_variance: 2.0, fault: Some((3, Fault::Silent)), ..ensemble };
    /// let case = Case::new(silent, 16, 1, Level::detect())?;
    /// assert_eq!((case.truth, case.verdict), (Class::Whole(Kind::Dead), Class::Whole(Kind::Dead)));
    /// assert_eq!(case.layer, Some(3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(ensemble: Ensemble, nets: u64, seed: u64, level: Level) -> Result<Self, ProbeError> {
        let run = |net| ensemble.run(seed.wrapping_mul(0x9e37_79b9).wrapping_add(net), net < SURVEYED);
        let truth: Vec<Seen> = (0..nets).into_par_iter().map(run).collect();
        let records = subject::records(&ensemble, seed, level)?;
        // There are eight records of equal depth.
        let diagnosis =
            judge_networks(&records).unwrap_or_else(|| crate::diagnose::judge(&Record::default()));
        let after_fix = match ensemble.fault {
            None if diagnosis.kind.is_sick() => subject::decades_after_fix(&ensemble, seed, level)?,
            _ => None,
        };
        let decades: Vec<f64> = truth.iter().filter_map(|seen| seen.record.decades()).collect();
        Ok(Self {
            truth: truth_of(&ensemble, &truth),
            verdict: verdict_of(&diagnosis),
            layer: diagnosis.layer,
            decades: median(decades.clone()),
            interval: interval(&ensemble, &diagnosis, &decades),
            after_fix,
            ensemble,
            diagnosis,
        })
    }

    /// Whether the blamed layer is the faulty one: exactly, or within one where the activation bends.
    ///
    /// ```
    /// use isobath::zoo::{Case, Ensemble, Fault, Input, Phi, Weights};
    /// use isobath_kernels::Level;
    /// # let ensemble = Ensemble {
    /// #     phi: Phi::Sigmoid,
    /// #     weights: Weights::Gaussian,
    /// #     weight_variance: 1.0,
    /// #     bias_variance: 0.0,
    /// #     depth: 8,
    /// #     width: 32,
    /// #     batch: 1,
    /// #     input: Input::Gaussian(0.25),
    /// #     loss: false,
    /// #     fault: None,
    /// # };
    ///
    /// // Eight sigmoid layers of 32 units.
    /// let sound = Case::new(ensemble, 16, 1, Level::detect())?;
    /// assert!(sound.place_is_right() && sound.layer.is_none());
    /// // Sigmoids bend: the neighbour of a faulty layer is near enough.
    /// let faulty = |layer| Case {
    ///     ensemble: Ensemble { fault: Some((3, Fault::Scaled(100.0))), ..ensemble },
    ///     layer: Some(layer),
    ///     ..sound.clone()
    /// };
    /// assert!(faulty(3).place_is_right() && faulty(4).place_is_right() && !faulty(6).place_is_right());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn place_is_right(&self) -> bool {
        match (self.ensemble.faulty_layer(), self.layer) {
            (None, found) => found.is_none(),
            (Some(_), None) => false,
            (Some(layer), Some(found)) => {
                layer.abs_diff(found) <= usize::from(!self.ensemble.phi.is_homogeneous())
            }
        }
    }

    /// Whether the class or the place is wrong. Truly borderline networks may be called either way.
    ///
    /// ```
    /// use isobath::probe::Kind;
    /// use isobath::zoo::{Case, Class, Ensemble, Input, Phi, Weights};
    /// use isobath_kernels::Level;
    /// # let ensemble = Ensemble {
    /// #     phi: Phi::Sigmoid,
    /// #     weights: Weights::Gaussian,
    /// #     weight_variance: 1.0,
    /// #     bias_variance: 0.0,
    /// #     depth: 8,
    /// #     width: 32,
    /// #     batch: 1,
    /// #     input: Input::Gaussian(0.25),
    /// #     loss: false,
    /// #     fault: None,
    /// # };
    ///
    /// // Eight sigmoid layers of 32 units.
    /// let case = Case::new(ensemble, 16, 1, Level::detect())?;
    /// assert!(!case.is_wrong());
    /// // To abstain is not to be wrong.
    /// let said = |kind| Case { verdict: Class::Whole(kind), ..case.clone() };
    /// assert!(said(Kind::Healthy).is_wrong() && !said(Kind::Borderline).is_wrong());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_wrong(&self) -> bool {
        let decided = self.truth != Class::BORDERLINE && self.verdict != Class::BORDERLINE;
        (decided && self.truth != self.verdict) || !self.place_is_right()
    }

    /// Whether the verdict abstained from a decision.
    ///
    /// ```
    /// use isobath::probe::Kind;
    /// use isobath::zoo::{Case, Class, Ensemble, Input, Phi, Weights};
    /// use isobath_kernels::Level;
    /// # let ensemble = Ensemble {
    /// #     phi: Phi::Sigmoid,
    /// #     weights: Weights::Gaussian,
    /// #     weight_variance: 1.0,
    /// #     bias_variance: 0.0,
    /// #     depth: 8,
    /// #     width: 32,
    /// #     batch: 1,
    /// #     input: Input::Gaussian(0.25),
    /// #     loss: false,
    /// #     fault: None,
    /// # };
    ///
    /// // Eight sigmoid layers of 32 units.
    /// let case = Case::new(ensemble, 16, 1, Level::detect())?;
    /// let said = |kind| Case { verdict: Class::Whole(kind), ..case.clone() };
    /// assert!(said(Kind::Borderline).is_undecided() && !said(Kind::Vanishing).is_undecided());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_undecided(&self) -> bool {
        self.verdict == Class::BORDERLINE && self.truth != Class::BORDERLINE
    }
}

fn truth_of(ensemble: &Ensemble, truth: &[Seen]) -> Class {
    let most = |what: fn(&Seen) -> bool| 2 * truth.iter().filter(|seen| what(seen)).count() >= truth.len();
    if most(|seen| !seen.is_finite) {
        return Class::Whole(Kind::Exploding);
    }
    if most(|seen| seen.is_dead) {
        return Class::Whole(Kind::Dead);
    }
    let decades = median(truth.iter().filter_map(|seen| seen.record.decades()).collect()).unwrap_or(0.0);
    let size = match decades {
        _ if decades.abs() <= HEALTHY => Kind::Healthy,
        _ if decades.abs() < SICK => Kind::Borderline,
        _ if decades < 0.0 => Kind::Vanishing,
        _ => Kind::Exploding,
    };
    let surveys: Vec<&Survey> = truth.iter().filter_map(|seen| seen.survey.as_ref()).collect();
    let rank = |l: usize| median(surveys.iter().filter_map(|survey| survey.ranks.get(l).copied()).collect());
    let correlations: Vec<f64> = surveys.iter().filter_map(|survey| survey.correlation).collect();
    let signs = Signs {
        saturated: median(surveys.iter().map(|survey| survey.saturated).collect()),
        ranks: (0..=ensemble.depth).filter_map(rank).collect(),
        correlation: Moments::of(&correlations).map(|moments| (moments.mean, 0.0)),
    };
    // Only saturating activations are so flat in most units, and only where slopes are to blame.
    match (signs.verdict(size, true), ensemble.fault) {
        (Kind::RankCollapse, _) => Class::Whole(Kind::RankCollapse),
        (_, Some((_, Fault::Scaled(_) | Fault::Shifted(_) | Fault::Halved)))
            if ensemble.faulty_layer().is_some() =>
        {
            Class::LocalDefect
        }
        (kind, _) => Class::Whole(kind),
    }
}

fn verdict_of(diagnosis: &Diagnosis) -> Class {
    let overflow = diagnosis.causes.first().is_some_and(|blame| blame.cause == Cause::Overflow);
    match diagnosis.kind {
        kind @ (Kind::Dead | Kind::RankCollapse) => Class::Whole(kind),
        _ if diagnosis.layer.is_some() && !overflow => Class::LocalDefect,
        kind => Class::Whole(kind),
    }
}

fn interval(ensemble: &Ensemble, diagnosis: &Diagnosis, decades: &[f64]) -> Option<Interval> {
    let (low, high) = diagnosis.rate?.ci95.filter(|_| ensemble.fault.is_none() && ensemble.depth > 1)?;
    let factors = (ensemble.depth - 1) as f64;
    let truth = Moments::of(decades).filter(|moments| 2 * moments.count > decades.len())?;
    let (low, high) = (low.log10() * factors, high.log10() * factors);
    let known = 2.0 * 1.959964 * (truth.var? / subject::RECORDED as f64).sqrt();
    Some(Interval { covers: low <= truth.mean && truth.mean <= high, width: (high - low) / known })
}
