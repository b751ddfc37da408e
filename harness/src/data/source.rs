//! Where data comes from: the names users give, and what they load.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::dataset::{Dataset, Splits};
use super::error::DataError;
use super::form::{Form, Target};
use super::sequence::{adding, copy, recall};
use super::{csv, gaussian, glyphs, idx, spirals, teacher};
use crate::machine::available_memory;
use crate::random::Random;

/// The label column of a CSV file where none is named.
const LABEL: &str = "label";

/// The most steps, or blank steps, of a sequence.
const LONGEST: usize = 100_000;

/// A source of data.
///
/// ```
/// use isobath::data::{Form, Sizes, Source};
///
/// let source: Source = "copy:20".parse()?;
/// assert_eq!(source, Source::Copy(20));
/// assert_eq!(source.answers(), 5);
/// // 5 symbols, 20 blanks and 5 steps to name them in; a step tells 8 symbols and the question apart.
/// let data = source.load(&Sizes { train: 12, validation: 4, test: 4 }, 1)?;
/// assert_eq!(data.train.form(), Form::Sequence { steps: 30, features: 9, answers: 5 });
///
/// let error = "glyhs".parse::<Source>().unwrap_err();
/// assert!(error.to_string().starts_with("unknown data source `glyhs`; allowed are glyphs, spirals, "));
/// let missing = Source::Idx("no-such-folder".into()).load(&Sizes { train: 1, validation: 0, test: 0 }, 1);
/// assert!(missing.is_err());
/// # Ok::<(), isobath::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Distorted images of digits; see [`glyphs`].
    Glyphs,
    /// Interleaved spirals; see [`spirals`].
    Spirals,
    /// Two spirals in the plane; see [`spirals::fill_two`].
    TwoSpirals,
    /// Structureless inputs with learnable labels; see [`teacher`].
    Teacher,
    /// Structureless inputs with random labels; see [`gaussian`].
    Gaussian,
    /// Sequences of so many steps, of which two marked numbers are to be added; see [`adding`].
    Adding(usize),
    /// Symbols to be named after so many blank steps; see [`copy`].
    Copy(usize),
    /// The rows of a glyph, to be named after so many blank steps; see [`recall`].
    Recall(usize),
    /// A folder of files in MNIST's format.
    Idx(PathBuf),
    /// A table with a header row.
    Csv {
        /// The file.
        path: PathBuf,
        /// The name of the column with the labels.
        label: String,
    },
}

/// How many samples each split gets; files with fewer give what they have.
///
/// ```
/// use isobath::data::{Sizes, Source};
///
/// let few = Sizes { train: 100, validation: 10, test: 20 };
/// let data = Source::TwoSpirals.load(&few, 1)?;
/// assert_eq!([data.train.len(), data.validation.len(), data.test.len()], [100, 10, 20]);
/// // Each split has random numbers of its own: more to choose by leaves those to train on as they are.
/// let more = Source::TwoSpirals.load(&Sizes { validation: 50, ..few }, 1)?;
/// assert_eq!(more.train, data.train);
/// # Ok::<(), isobath::data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Samples to train on, at least 1.
    pub train: usize,
    /// Samples to choose by.
    pub validation: usize,
    /// Samples to test on.
    pub test: usize,
}

impl Source {
    /// The texts that [`FromStr`] takes, for help texts and error messages.
    pub const NAMES: &'static str = "glyphs, spirals, two-spirals, teacher, gaussian, adding:STEPS, copy:BLANKS, \
                                     recall:BLANKS, idx:DIR, csv:FILE, csv:FILE:LABEL";

    /// Generates or reads the data; equal seeds give equal data. Each split is drawn from a stream of its own,
    /// so its size does not change another split's samples.
    ///
    /// # Errors
    /// A file that is missing, unreadable or malformed; training inputs without spread; more samples than fit
    /// into memory.
    pub fn load(&self, sizes: &Sizes, seed: u64) -> Result<Splits, DataError> {
        let mut shared = Random::stream(seed, 0);
        match *self {
            Self::Glyphs => {
                let form = Form::Image(glyphs::SIDE, glyphs::SIDE);
                self.generate(sizes, seed, form, glyphs::CLASSES, glyphs::fill)
            }
            Self::Spirals => {
                let plane = spirals::Plane::new(&mut shared);
                let form = Form::Vector(spirals::FEATURES);
                self.generate(sizes, seed, form, spirals::CLASSES, |random, inputs, labels| {
                    plane.fill(random, inputs, labels);
                })
            }
            Self::TwoSpirals => self.generate(sizes, seed, Form::Vector(2), 2, spirals::fill_two),
            Self::Teacher => {
                let teacher = teacher::Teacher::new(&mut shared);
                let form = Form::Vector(teacher::FEATURES);
                self.generate(sizes, seed, form, teacher::CLASSES, |random, inputs, labels| {
                    teacher.fill(random, inputs, labels);
                })
            }
            Self::Gaussian => {
                let form = Form::Vector(gaussian::FEATURES);
                self.generate(sizes, seed, form, gaussian::CLASSES, gaussian::fill)
            }
            Self::Adding(steps) => {
                let form = Form::Sequence { steps, features: adding::FEATURES, answers: 1 };
                self.sequences(sizes, seed, form, Target::Number, |random, inputs, labels| {
                    adding::fill(random, steps, inputs, labels);
                })
            }
            Self::Copy(blanks) => {
                let (steps, answers) = (copy::steps(blanks), copy::LENGTH);
                let form = Form::Sequence { steps, features: copy::FEATURES, answers };
                let target = Target::Classes(copy::CLASSES);
                self.sequences(sizes, seed, form, target, |random, inputs, labels| {
                    copy::fill(random, blanks, inputs, labels);
                })
            }
            Self::Recall(blanks) => {
                let steps = recall::steps(blanks);
                let form = Form::Sequence { steps, features: recall::FEATURES, answers: 1 };
                let target = Target::Classes(recall::CLASSES);
                self.sequences(sizes, seed, form, target, |random, inputs, labels| {
                    recall::fill(random, blanks, inputs, labels);
                })
            }
            Self::Idx(ref folder) => idx::load(folder, *sizes, &mut shared),
            Self::Csv { ref path, ref label } => csv::load(path, label, *sizes, &mut shared),
        }
    }

    /// Labels that a network gives for one sample.
    pub fn answers(&self) -> usize {
        if let Self::Copy(_) = self { copy::LENGTH } else { 1 }
    }

    /// Fills three sets and standardises them.
    fn generate(
        &self,
        sizes: &Sizes,
        seed: u64,
        form: Form,
        classes: usize,
        fill: impl Fn(&mut Random, &mut [f32], &mut [u32]),
    ) -> Result<Splits, DataError> {
        let [train, validation, test] = self.fill(sizes, seed, form, Target::Classes(classes), fill)?;
        Splits::standardised(train, validation, test)
    }

    /// Fills three sets of sequences, whose numbers stay as they are.
    fn sequences(
        &self,
        sizes: &Sizes,
        seed: u64,
        form: Form,
        target: Target,
        fill: impl Fn(&mut Random, &mut [f32], &mut [u32]),
    ) -> Result<Splits, DataError> {
        let [train, validation, test] = self.fill(sizes, seed, form, target, fill)?;
        Splits::as_made(train, validation, test)
    }

    /// Fills three sets from three streams.
    fn fill(
        &self,
        sizes: &Sizes,
        seed: u64,
        form: Form,
        target: Target,
        fill: impl Fn(&mut Random, &mut [f32], &mut [u32]),
    ) -> Result<[Dataset; 3], DataError> {
        let name = self.to_string();
        let all = sizes.train.saturating_add(sizes.validation).saturating_add(sizes.test);
        // An input's numbers and the labels, of 4 bytes each.
        let needed = (all as u64).saturating_mul(4 * (form.features() + form.answers()) as u64);
        if needed > available_memory().unwrap_or(u64::MAX) {
            return Err(DataError::Memory { samples: all, features: form.features() });
        }
        let set = |stream, samples: usize| {
            let memory = || DataError::Memory { samples, features: form.features() };
            let mut inputs = Vec::new();
            let values = samples.checked_mul(form.features()).ok_or_else(memory)?;
            inputs.try_reserve_exact(values).map_err(|_| memory())?;
            inputs.resize(values, 0.0);
            let mut labels = vec![0; samples.saturating_mul(form.answers())];
            fill(&mut Random::stream(seed, stream), &mut inputs, &mut labels);
            Dataset::with_target(&name, form, target, inputs, labels)
        };
        Ok([set(1, sizes.train)?, set(2, sizes.validation)?, set(3, sizes.test)?])
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Glyphs => f.write_str("glyphs"),
            Self::Spirals => f.write_str("spirals"),
            Self::TwoSpirals => f.write_str("two-spirals"),
            Self::Teacher => f.write_str("teacher"),
            Self::Gaussian => f.write_str("gaussian"),
            Self::Adding(steps) => write!(f, "adding:{steps}"),
            Self::Copy(blanks) => write!(f, "copy:{blanks}"),
            Self::Recall(blanks) => write!(f, "recall:{blanks}"),
            Self::Idx(folder) => write!(f, "idx:{}", folder.display()),
            Self::Csv { path, label } => {
                let short = format!("csv:{}", path.display());
                if short.parse().is_ok_and(|source: Self| source == *self) {
                    f.write_str(&short)
                } else {
                    write!(f, "{short}:{label}")
                }
            }
        }
    }
}

impl FromStr for Source {
    type Err = DataError;

    /// A label follows the last colon and holds no slash, so that `csv:C:\data.csv` is a file.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "glyphs" => Ok(Self::Glyphs),
            None if text == "spirals" => Ok(Self::Spirals),
            None if text == "two-spirals" => Ok(Self::TwoSpirals),
            None if text == "teacher" => Ok(Self::Teacher),
            None if text == "gaussian" => Ok(Self::Gaussian),
            Some(("adding", steps)) => length(text, steps, adding::SHORTEST).map(Self::Adding),
            Some(("copy", blanks)) => length(text, blanks, copy::SHORTEST).map(Self::Copy),
            Some(("recall", blanks)) => length(text, blanks, 0).map(Self::Recall),
            Some(("idx", folder)) if !folder.is_empty() => Ok(Self::Idx(folder.into())),
            Some(("csv", rest)) => {
                let (path, label) = match rest.rsplit_once(':') {
                    Some((path, label)) if !label.contains(['/', '\\']) => (path, label),
                    _ => (rest, LABEL),
                };
                if path.is_empty() || label.is_empty() {
                    return Err(DataError::Source { found: text.into() });
                }
                Ok(Self::Csv { path: path.into(), label: label.into() })
            }
            _ => Err(DataError::Source { found: text.into() }),
        }
    }
}

/// A number of steps, from `least` to [`LONGEST`].
fn length(text: &str, steps: &str, least: usize) -> Result<usize, DataError> {
    match steps.parse() {
        Ok(steps) if (least..=LONGEST).contains(&steps) => Ok(steps),
        _ => Err(DataError::Length { source_name: text.into(), least, most: LONGEST }),
    }
}

#[cfg(test)]
mod tests;
