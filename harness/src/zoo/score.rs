//! What became of all cases: the confusion matrix, recall and precision, places and intervals.

use std::fmt;

use super::case::{Case, Class, Interval};
use crate::probe::HEALTHY;

/// The least recall and precision of a class, and share of right places.
const LEAST: f64 = 0.97;
/// The largest share of borderline networks.
const MOST_BORDERLINE: f64 = 0.1;
/// Where the coverage of 95 % intervals must lie, give or take two standard errors of its count.
const COVERAGE: (f64, f64) = (0.93, 0.97);
/// How wide intervals may be, over those of known spread.
const MOST_WIDTH: f64 = 1.5;

/// A target that was missed.
///
/// ```
/// use isobath::zoo::Score;
///
/// // Nothing was called right where there are no cases.
/// let missed = Score::default().missed();
/// assert_eq!(
///     missed[0].to_string(),
///     "the share of faulty layers that are named is 0.000; it must be at least 0.970"
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    what: String,
    found: f64,
    allowed: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {:.3}; it must be {}", self.what, self.found, self.allowed)
    }
}

/// All cases.
///
/// ```
/// use isobath::probe::Kind;
/// use isobath::zoo::{Case, Class, Ensemble, Input, Phi, Score, Weights};
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
/// // One network that vanishes, and a diagnosis that is right twice, abstains once and is wrong once.
/// let case = Case::new(ensemble, 16, 1, Level::detect())?;
/// let kinds = [Kind::Vanishing, Kind::Vanishing, Kind::Borderline, Kind::Healthy];
/// let cases = kinds.map(|kind| Case { verdict: Class::Whole(kind), ..case.clone() }).into();
/// let score = Score { cases };
/// let vanishing = Class::Whole(Kind::Vanishing);
/// assert_eq!((score.of_class(vanishing), score.count(Case::is_wrong)), (4, 1));
/// assert_eq!((score.recall(vanishing), score.precision(vanishing)), (2.0 / 3.0, 1.0));
/// assert_eq!((score.undecided(), score.borderline()), (0.25, 0.0));
/// // No network has a fault, and in none was a layer blamed; all fixes and intervals are those of the one network.
/// assert_eq!((score.places(), score.fixes(), score.coverage()), ((0.0, 1.0), 1.0, 1.0));
/// assert!(score.width() < 2.0);
/// assert!(score.missed().iter().any(|target| target.to_string().starts_with("recall of vanishing")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// In the order of their numbers.
    pub cases: Vec<Case>,
}

impl Score {
    /// Cases for which `what` holds.
    pub fn count(&self, what: impl Fn(&Case) -> bool) -> usize {
        self.cases.iter().filter(|case| what(case)).count()
    }

    /// How many are truly of a class.
    pub fn of_class(&self, class: Class) -> usize {
        self.count(|case| case.truth == class)
    }

    /// Of the cases of a class, how many were called so; those called borderline are counted apart.
    pub fn recall(&self, class: Class) -> f64 {
        let decided = |case: &Case| case.truth == class && !case.is_undecided();
        self.count(|case| decided(case) && case.verdict == class) as f64 / self.count(decided).max(1) as f64
    }

    /// Of the cases that were called so, how many are; truly borderline ones may be called either way.
    pub fn precision(&self, class: Class) -> f64 {
        let called = |case: &Case| case.verdict == class && case.truth != Class::BORDERLINE;
        self.count(|case| called(case) && case.truth == class) as f64 / self.count(called).max(1) as f64
    }

    /// The share of cases that were called borderline and are not.
    pub fn undecided(&self) -> f64 {
        self.count(Case::is_undecided) as f64 / self.cases.len().max(1) as f64
    }

    /// Of the networks with a fault, and of those without, how many have the right layer blamed, or none.
    pub fn places(&self) -> (f64, f64) {
        let share = |faulty: bool| {
            let of = |case: &Case| case.ensemble.faulty_layer().is_some() == faulty;
            self.count(|case| of(case) && case.place_is_right()) as f64 / self.count(of).max(1) as f64
        };
        (share(true), share(false))
    }

    /// The share of truly borderline cases.
    pub fn borderline(&self) -> f64 {
        self.of_class(Class::BORDERLINE) as f64 / self.cases.len().max(1) as f64
    }

    /// Of the fixes that were run, how many left a healthy gradient.
    pub fn fixes(&self) -> f64 {
        let run = |case: &Case| case.after_fix.is_some();
        let healed = |case: &Case| case.after_fix.is_some_and(|decades| decades.abs() <= HEALTHY);
        self.count(healed) as f64 / self.count(run).max(1) as f64
    }

    /// What does not hold. Classes without cases have no recall.
    pub fn missed(&self) -> Vec<Target> {
        let mut missed = Vec::new();
        let mut check = |what: String, found: f64, low: f64, high: f64| {
            if !(low..=high).contains(&found) {
                let allowed = match (low, high) {
                    (_, f64::INFINITY) => format!("at least {low:.3}"),
                    (0.0, _) => format!("at most {high:.3}"),
                    _ => format!("{low:.3} to {high:.3}"),
                };
                missed.push(Target { what, found, allowed });
            }
        };
        for class in Class::ALL.into_iter().filter(|class| *class != Class::BORDERLINE) {
            if self.count(|case| case.truth == class && !case.is_undecided()) > 0 {
                check(format!("recall of {class}"), self.recall(class), LEAST, f64::INFINITY);
            }
            if self.count(|case| case.verdict == class) > 0 {
                check(format!("precision of {class}"), self.precision(class), LEAST, f64::INFINITY);
            }
        }
        let (faulty, sound) = self.places();
        check("the share of faulty layers that are named".to_owned(), faulty, LEAST, f64::INFINITY);
        check("the share of sound networks in which none is".to_owned(), sound, LEAST, f64::INFINITY);
        check("the share of undecided cases".to_owned(), self.undecided(), 0.0, MOST_BORDERLINE);
        check("the share of borderline cases".to_owned(), self.borderline(), 0.0, MOST_BORDERLINE);
        if self.count(|case| case.after_fix.is_some()) > 0 {
            check("the share of fixes that heal".to_owned(), self.fixes(), LEAST, f64::INFINITY);
        }
        let count = self.intervals().len();
        if count > 0 {
            let error = (0.95 * 0.05 / count as f64).sqrt();
            let (low, high) = (COVERAGE.0 - 2.0 * error, COVERAGE.1 + 2.0 * error);
            check("the coverage of 95 % intervals".to_owned(), self.coverage(), low, high);
            check("their width over that of known spread".to_owned(), self.width(), 0.0, MOST_WIDTH);
        }
        missed
    }

    fn intervals(&self) -> Vec<Interval> {
        self.cases.iter().filter_map(|case| case.interval).collect()
    }

    /// How many stated intervals hold the truth.
    pub fn coverage(&self) -> f64 {
        let intervals = self.intervals();
        intervals.iter().filter(|interval| interval.covers).count() as f64 / intervals.len().max(1) as f64
    }

    /// The intervals' median width over that of known spread.
    pub fn width(&self) -> f64 {
        crate::statistics::median(self.intervals().iter().map(|interval| interval.width).collect())
            .unwrap_or(0.0)
    }
}

/// Column heads of the matrix.
const SHORT: [&str; 9] = ["vanish", "explod", "dead", "satur", "rank", "shatt", "local", "healthy", "border"];

impl fmt::Display for Score {
    /// The matrix for a terminal of 80 columns, and the sums below it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:14}", "truth")?;
        for head in SHORT {
            write!(f, "{head:>7}")?;
        }
        writeln!(f)?;
        for truth in Class::ALL {
            write!(f, "{truth:14}")?;
            for verdict in Class::ALL {
                let count = self.count(|case| case.truth == truth && case.verdict == verdict);
                if count == 0 { write!(f, "{:>7}", ".")? } else { write!(f, "{count:>7}")? }
            }
            writeln!(f)?;
        }
        for (what, figure) in
            [("recall", Self::recall as fn(&Self, Class) -> f64), ("precision", Self::precision)]
        {
            write!(f, "{what:14}")?;
            for class in &Class::ALL[..8] {
                write!(f, "{:>7.3}", figure(self, *class))?;
            }
            writeln!(f)?;
        }
        let (faulty, sound) = self.places();
        writeln!(
            f,
            "\n{} cases; undecided {:.1} %; truly borderline {:.1} %\n\
             the faulty layer is named in {:.1} %, none in {:.1} % of the sound networks\n\
             95 % intervals: {:.1} % cover the truth, their median width is {:.2} times that of known spread\n\
             {} fixes were run; {:.1} % left a healthy gradient",
            self.cases.len(),
            100.0 * self.undecided(),
            100.0 * self.borderline(),
            100.0 * faulty,
            100.0 * sound,
            100.0 * self.coverage(),
            self.width(),
            self.count(|case| case.after_fix.is_some()),
            100.0 * self.fixes()
        )
    }
}
