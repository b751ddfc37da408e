//! What a sample is, and what is asked of it.

/// What a sample is.
///
/// ```
/// use isobath::data::Form;
///
/// assert_eq!(Form::from(16), Form::Vector(16));
/// assert_eq!(Form::Image(12, 10).features(), 120);
/// let sequence = Form::Sequence { steps: 30, features: 9, answers: 5 };
/// assert_eq!((sequence.features(), sequence.answers()), (270, 5));
/// assert_eq!(Form::Vector(16).answers(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// So many numbers.
    Vector(usize),
    /// Pixels in rows: height, width.
    Image(usize, usize),
    /// So many steps of so many numbers each; the last ones, as many as there are answers, have a label each.
    Sequence {
        /// Steps.
        steps: usize,
        /// Numbers per step.
        features: usize,
        /// Labels per sample.
        answers: usize,
    },
}

impl From<usize> for Form {
    fn from(features: usize) -> Self {
        Self::Vector(features)
    }
}

/// What a label says.
///
/// ```
/// use isobath::data::Target;
///
/// assert_eq!(Target::Classes(10).outputs(), 10);
/// assert_eq!(Target::Number.outputs(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A class, below so many.
    Classes(usize),
    /// A number to be met, by its bits ([`f32::to_bits`]).
    Number,
}

impl Form {
    /// Numbers per sample.
    pub fn features(self) -> usize {
        match self {
            Self::Vector(features) => features,
            Self::Image(height, width) => height.saturating_mul(width),
            Self::Sequence { steps, features, .. } => steps.saturating_mul(features),
        }
    }

    /// Labels per sample.
    pub fn answers(self) -> usize {
        match self {
            Self::Vector(_) | Self::Image(..) => 1,
            Self::Sequence { answers, .. } => answers,
        }
    }
}

impl Target {
    /// Outputs of a network for one label: as many as there are classes, or one for a number.
    pub fn outputs(self) -> usize {
        match self {
            Self::Classes(classes) => classes,
            Self::Number => 1,
        }
    }
}
