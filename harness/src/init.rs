//! Initial weights: the families and variances that networks are started from.
//!
//! A dense layer with fan-in n and fan-out m has weights of variance s_w^2 / n and biases of variance s_b^2.
//!
//! | name | weights | s_w^2 | s_b^2 | source |
//! |---|---|---|---|---|
//! | `xavier` | Gaussian | 2 n / (n + m), 1 where n = m | 0 | Glorot and Bengio 2010 |
//! | `he` | Gaussian | 2 | 0 | He et al. 2015 |
//! | `lecun` | Gaussian | 1 | 0 | LeCun et al. 1998 |
//! | `uniform` | U(-1/sqrt n, 1/sqrt n) | 1/3 | 0 | the common default of frameworks |
//! | `orthogonal` | rows or columns orthonormal | 1 | 0 | Saxe et al. 2014 |
//! | `article` | Gaussian | 1 | 1 | Nielsen, Neural Networks and Deep Learning, ch. 5 |
//! | `lsuv` | orthonormal, then scaled by a batch of data | any | 0 | Mishkin and Matas 2016, see [`crate::net::lsuv`] |

use core::fmt;
use core::str::FromStr;

use isobath_kernels::{LengthError, Level, reduce};

use crate::random::Random;

/// The distribution of the weights.
///
/// ```
/// use isobath::init::{Family, Init};
/// use isobath::random::Random;
///
/// // The columns of an orthogonal matrix have no angle between them.
/// let orthogonal = Init { family: Family::Orthogonal, ..Init::LECUN };
/// let (mut weights, mut biases, mut scratch) = ([0.0; 4], [0.0; 2], [0.0; 4]);
/// orthogonal.fill(&mut Random::new(1), 2, &mut weights, &mut biases, &mut scratch)?;
/// let [a, b, c, d] = weights;
/// assert!((a * b + c * d).abs() < 1e-6 && (a * a + c * c - 1.0).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Independent normal weights.
    Gaussian,
    /// Independent weights, uniform on a symmetric interval.
    Uniform,
    /// A random matrix with orthonormal rows or columns, whichever are fewer, times sqrt(s_w^2 max(n, m) / n).
    Orthogonal,
}

/// How s_w^2 is chosen.
///
/// ```
/// use isobath::init::{Init, WeightVariance};
///
/// assert_eq!(Init::XAVIER.weight_variance, WeightVariance::Glorot);
/// assert_eq!(Init::HE.weight_variance, WeightVariance::Fixed(2.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WeightVariance {
    /// This s_w^2.
    Fixed(f32),
    /// 2 n / (n + m): the mean of what the forward and the backward pass want.
    Glorot,
    /// 1, until a batch of data has made the layer's output have variance 1: see [`crate::net::lsuv`].
    Data,
}

/// How a dense layer is started.
///
/// ```
/// use isobath::init::{Family, Init, WeightVariance};
///
/// // By name, as flags and studies give it; by constant; or spelt out.
/// assert_eq!("he".parse::<Init>()?, Init::HE);
/// let uniform_he =
///     Init { family: Family::Uniform, weight_variance: WeightVariance::Fixed(2.0), bias_variance: 0.0 };
/// assert_eq!(uniform_he.weight_variance(64, 64), Init::HE.weight_variance(64, 64));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Init {
    /// The distribution of the weights.
    pub family: Family,
    /// s_w^2: fan-in times the variance of a weight.
    pub weight_variance: WeightVariance,
    /// s_b^2: the variance of a bias; biases are Gaussian.
    pub bias_variance: f32,
}

impl Init {
    /// The names that [`FromStr`] takes, for help texts and error messages.
    pub const NAMES: &'static str = "xavier, he, lecun, uniform, orthogonal, article";

    /// Glorot and Bengio's compromise.
    pub const XAVIER: Self =
        Self { family: Family::Gaussian, weight_variance: WeightVariance::Glorot, bias_variance: 0.0 };
    /// s_w^2 = 2, for ReLU.
    pub const HE: Self = Self::gaussian(2.0, 0.0);
    /// s_w^2 = 1.
    pub const LECUN: Self = Self::gaussian(1.0, 0.0);
    /// Uniform with s_w^2 = 1/3.
    pub const UNIFORM: Self = Self {
        family: Family::Uniform,
        weight_variance: WeightVariance::Fixed(1.0 / 3.0),
        bias_variance: 0.0,
    };
    /// Orthonormal.
    pub const ORTHOGONAL: Self =
        Self { family: Family::Orthogonal, weight_variance: WeightVariance::Fixed(1.0), bias_variance: 0.0 };
    /// Orthonormal, to be scaled by data before the first step. It has no name here, because what only draws weights has
    /// no data: studies and training files call it `lsuv`.
    pub const LSUV: Self =
        Self { family: Family::Orthogonal, weight_variance: WeightVariance::Data, bias_variance: 0.0 };
    /// s_w^2 = 1 with standard normal biases.
    pub const ARTICLE: Self = Self::gaussian(1.0, 1.0);

    /// Gaussian weights and biases of these variances.
    ///
    /// ```
    /// use isobath::init::Init;
    ///
    /// // The edge of chaos of tanh for biases of variance 0.05.
    /// let critical = Init::gaussian(1.760_954_6, 0.05);
    /// assert_eq!(critical.bias_variance, 0.05);
    /// assert_eq!(Init::gaussian(2.0, 0.0), Init::HE);
    /// ```
    pub const fn gaussian(weight_variance: f32, bias_variance: f32) -> Self {
        Self {
            family: Family::Gaussian,
            weight_variance: WeightVariance::Fixed(weight_variance),
            bias_variance,
        }
    }

    /// s_w^2 of a layer of this shape, before any data.
    ///
    /// ```
    /// use isobath::init::Init;
    ///
    /// // Glorot and Bengio: Var W = 2 / (fan-in + fan-out).
    /// let (fan_in, fan_out) = (300, 100);
    /// assert_eq!(Init::XAVIER.weight_variance(fan_in, fan_out), 1.5);
    /// assert_eq!(1.5 / fan_in as f32, 2.0 / (fan_in + fan_out) as f32);
    /// ```
    pub fn weight_variance(&self, fan_in: usize, fan_out: usize) -> f32 {
        match self.weight_variance {
            WeightVariance::Fixed(variance) => variance,
            WeightVariance::Data => 1.0,
            WeightVariance::Glorot => 2.0 * fan_in as f32 / (fan_in + fan_out) as f32,
        }
    }

    /// Fills a fan-in x fan-out weight matrix and its biases.
    ///
    /// `scratch` serves the orthogonal family and has as many elements as the weights; the others leave it alone.
    ///
    /// # Errors
    /// The weights are not fan-in x fan-out, or the orthogonal family's scratch is shorter. Nothing is written then.
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::random::Random;
    ///
    /// let (fan_in, fan_out, mut random) = (300, 100, Random::new(1));
    /// let (mut weights, mut biases) = (vec![0.0; fan_in * fan_out], vec![0.0; fan_out]);
    /// Init::HE.fill(&mut random, fan_in, &mut weights, &mut biases, &mut [])?;
    /// let mean_square = weights.iter().map(|w| w * w).sum::<f32>() / weights.len() as f32;
    /// assert!((mean_square / (2.0 / fan_in as f32) - 1.0).abs() < 0.05);
    ///
    /// let error = Init::HE.fill(&mut random, 299, &mut weights, &mut biases, &mut []).unwrap_err();
    /// assert_eq!((error.expected, error.found), (29_900, 30_000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fill(
        &self,
        random: &mut Random,
        fan_in: usize,
        weights: &mut [f32],
        biases: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), LengthError> {
        let fan_out = biases.len();
        let expected = fan_in.saturating_mul(fan_out);
        let found =
            if self.family == Family::Orthogonal { scratch.len().min(weights.len()) } else { weights.len() };
        if weights.len() != expected || found < expected {
            return Err(LengthError { expected, found });
        }
        let variance = self.weight_variance(fan_in, fan_out);
        let deviation = libm::sqrtf(variance / fan_in as f32);
        match self.family {
            Family::Gaussian => random.fill_normal(weights, deviation),
            Family::Uniform => {
                // A uniform variable on (-a, a) has variance a^2 / 3.
                let limit = libm::sqrtf(3.0 * variance / fan_in as f32);
                for weight in weights.iter_mut() {
                    *weight = random.uniform_in(-limit, limit);
                }
            }
            Family::Orthogonal => {
                let scale = libm::sqrtf(variance * fan_in.max(fan_out) as f32 / fan_in as f32);
                orthogonal(random, fan_in, fan_out, scale, weights, scratch);
            }
        }
        if self.bias_variance == 0.0 {
            biases.fill(0.0);
        } else {
            random.fill_normal(biases, libm::sqrtf(self.bias_variance));
        }
        Ok(())
    }
}

/// A Haar-distributed orthogonal matrix, cut to shape, times `scale`: Gram-Schmidt on Gaussian vectors, each made
/// orthogonal twice, which is enough (Giraud et al. 2005).
fn orthogonal(
    random: &mut Random,
    fan_in: usize,
    fan_out: usize,
    scale: f32,
    weights: &mut [f32],
    scratch: &mut [f32],
) {
    let (count, length) = if fan_in < fan_out { (fan_in, fan_out) } else { (fan_out, fan_in) };
    if count == 0 {
        return;
    }
    random.fill_normal(scratch, 1.0);
    for i in 0..count {
        let (before, rest) = scratch.split_at_mut(i * length);
        let vector = rest.split_at_mut(length).0;
        for _ in 0..2 {
            for other in before.chunks_exact(length) {
                // Few, short vectors: the scalar level costs nothing and gives the bits of every other.
                let projection = reduce::dot(Level::SCALAR, other, vector).unwrap_or(0.0);
                for (v, o) in vector.iter_mut().zip(other) {
                    *v -= projection * o;
                }
            }
        }
        let norm = libm::sqrtf(reduce::dot(Level::SCALAR, vector, vector).unwrap_or(1.0));
        for v in vector {
            *v /= norm;
        }
    }
    // The orthonormal vectors are the rows of W where there are fewer rows, else its columns.
    for (i, vector) in scratch.chunks_exact(length).take(count).enumerate() {
        for (j, v) in vector.iter().enumerate() {
            let at = if fan_in < fan_out { i * fan_out + j } else { j * fan_out + i };
            if let Some(weight) = weights.get_mut(at) {
                *weight = scale * v;
            }
        }
    }
}

/// Why a text names no initialiser.
///
/// ```
/// use isobath::init::{Init, ParseInitError};
///
/// assert_eq!("hee".parse::<Init>(), Err(ParseInitError::UnknownName));
/// // LSUV is a constant and no name: what draws weights alone has no data to scale them by.
/// assert_eq!("lsuv".parse::<Init>(), Err(ParseInitError::NeedsData));
/// assert!(ParseInitError::UnknownName.to_string().ends_with(Init::NAMES));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseInitError {
    /// No initialiser has this name.
    UnknownName,
    /// This one needs data, and there are none.
    NeedsData,
}

impl fmt::Display for ParseInitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName => write!(f, "unknown initialiser; allowed are {}", Init::NAMES),
            Self::NeedsData => write!(
                f,
                "lsuv scales weights by the data that a network is trained on: it is for studies and isobath train; \
                 allowed here are {}",
                Init::NAMES
            ),
        }
    }
}

impl core::error::Error for ParseInitError {}

impl FromStr for Init {
    type Err = ParseInitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "xavier" => Ok(Self::XAVIER),
            "he" => Ok(Self::HE),
            "lecun" => Ok(Self::LECUN),
            "uniform" => Ok(Self::UNIFORM),
            "orthogonal" => Ok(Self::ORTHOGONAL),
            "article" => Ok(Self::ARTICLE),
            "lsuv" => Err(ParseInitError::NeedsData),
            _ => Err(ParseInitError::UnknownName),
        }
    }
}
