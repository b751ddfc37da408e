//! Tensors in memory and in a safetensors file, and what a file may not be.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use thiserror::Error;

use super::names::{Region, Tensor};
use crate::data::Target;
use crate::net::Arena;

/// Bytes of the largest file that is read: 16 GiB. What a network needs is checked tensor by tensor.
const LARGEST: u64 = 1 << 34;

/// Why weights could not be used.
///
/// ```
/// use isobath::weights::{Weights, WeightsError};
///
/// let path = std::env::temp_dir().join(format!("isobath-weights-error-{}", std::process::id()));
/// let error = Weights::read(&path).unwrap_err();
/// assert!(matches!(error, WeightsError::Read { .. }));
/// std::fs::write(&path, "no weights")?;
/// let error = Weights::read(&path).unwrap_err();
/// assert!(error.to_string().contains("is no safetensors file"));
/// # std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Error)]
pub enum WeightsError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no safetensors file.
    #[error("{path} is no safetensors file: {found}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was found.
        found: String,
    },
    /// The file is of another network.
    #[error("{path} does not fit the network: {found}", path = path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Every tensor that is missing, unknown, of another shape or of another type.
        found: String,
    },
}

/// The elements of a tensor.
#[derive(Clone, Debug, PartialEq)]
enum Elements {
    F32(Vec<f32>),
    I64(Vec<i64>),
    /// Of a type that no tensor of a network has.
    Other(Dtype),
}

/// Tensors by name.
///
/// ```
/// # use isobath::architecture::Architecture;
/// # use isobath::data::{Sizes, Source};
/// # use isobath::study::plan::StudyPlan;
/// # use isobath::threads::Serial;
/// # use isobath::train::{Recipe, train};
/// # let plan = StudyPlan::load("remedies", None, false)?;
/// # let row = plan.recipe(&plan.groups[0].rows[0], &plan.grid[0]);
/// # let architecture = Architecture::plain(3, 4, "tanh".parse()?, "xavier".parse()?);
/// # let recipe = Recipe { architecture, steps: 10, batch: 40, record_every: 5, ..row };
/// # let splits = Source::TwoSpirals.load(&Sizes { train: 40, validation: 0, test: 20 }, 1)?;
/// # let level = isobath_kernels::Level::detect();
/// # let trained = train(&recipe, &splits.train, &splits.test, 1, level, &Serial, |_, _| true)?;
/// # let trained = trained.expect("nobody stopped it");
/// use isobath::train::train_kept;
/// use isobath::weights::{Weights, WeightsKeeper};
///
/// // `recipe` is a network, `splits` what it learns from.
/// let mut keeper = WeightsKeeper::default();
/// train_kept(&recipe, &splits.train, &splits.test, 1, level, &Serial, &mut keeper, |_, _| true)?;
/// let path = std::env::temp_dir().join(format!("isobath-{}.safetensors", std::process::id()));
/// std::fs::write(&path, keeper.last.bytes()?)?;
/// // Not a bit is lost on the way.
/// assert_eq!(Weights::read(&path)?.bytes()?, keeper.last.bytes()?);
/// # std::fs::remove_file(path)?;
/// # assert!(trained.steps == 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// Where they come from, for errors.
    path: PathBuf,
    tensors: BTreeMap<String, (Vec<usize>, Elements)>,
}

impl Weights {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is no safetensors file.
    pub fn read(path: &Path) -> Result<Self, WeightsError> {
        let malformed = |found: String| WeightsError::Malformed { path: path.to_owned(), found };
        let failed = |source| WeightsError::Read { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        fs::File::open(path).map_err(failed)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LARGEST {
            return Err(malformed("it is longer than 16 GiB".to_owned()));
        }
        let file = SafeTensors::deserialize(&bytes).map_err(|error| malformed(error.to_string()))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            let elements = match view.dtype() {
                Dtype::F32 => Elements::F32(numbers(view.data(), f32::from_le_bytes)),
                Dtype::I64 => Elements::I64(numbers(view.data(), i64::from_le_bytes)),
                other => Elements::Other(other),
            };
            tensors.insert(name.to_owned(), (view.shape().to_vec(), elements));
        }
        Ok(Self { path: path.to_owned(), tensors })
    }

    /// The bytes of a file with these tensors. Its metadata says `format: pt`, as other programs expect of tensors that PyTorch
    /// can take.
    ///
    /// # Errors
    /// There are more or longer tensors than the format can hold.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        let bytes_of = |elements: &Elements| -> (Dtype, Vec<u8>) {
            match elements {
                Elements::F32(elements) => {
                    (Dtype::F32, elements.iter().flat_map(|x| x.to_le_bytes()).collect())
                }
                Elements::I64(elements) => {
                    (Dtype::I64, elements.iter().flat_map(|x| x.to_le_bytes()).collect())
                }
                Elements::Other(dtype) => (*dtype, Vec::new()),
            }
        };
        let tensors: Vec<_> = self
            .tensors
            .iter()
            .map(|(name, (shape, elements))| (name, shape.clone(), bytes_of(elements)))
            .collect();
        let views: Result<Vec<_>, _> = tensors
            .iter()
            .map(|(name, shape, (dtype, bytes))| {
                TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name.as_str(), view))
            })
            .collect();
        let metadata = [("format".to_owned(), "pt".to_owned())].into();
        views.and_then(|views| serialize(views, Some(metadata))).map_err(io::Error::other)
    }

    /// The parameters and running statistics of a network.
    pub(super) fn of_parameters(tensors: &[Tensor], arena: &Arena<'_>) -> Self {
        Self::gathered(tensors.iter(), |region| match region {
            Region::Parameters => arena.parameters,
            Region::Statistics => arena.statistics,
        })
    }

    /// The gradients of its parameters, under the names of the parameters.
    pub(super) fn of_gradients(tensors: &[Tensor], arena: &Arena<'_>) -> Self {
        Self::gathered(tensors.iter().filter(|tensor| tensor.is_trained()), |_| arena.gradients)
    }

    fn gathered<'a>(tensors: impl Iterator<Item = &'a Tensor>, region: impl Fn(Region) -> &'a [f32]) -> Self {
        let one = |tensor: &Tensor| {
            let values = region(tensor.region);
            let elements = tensor.places().map(|at| values.get(at).copied().unwrap_or_default()).collect();
            (tensor.name.clone(), (tensor.shape.clone(), Elements::F32(elements)))
        };
        Self { path: PathBuf::new(), tensors: tensors.map(one).collect() }
    }

    /// Adds a batch: its inputs, `columns` per sample, and its labels.
    pub(super) fn add_batch(&mut self, inputs: Vec<f32>, columns: usize, labels: &[u32], target: Target) {
        let shape = vec![inputs.len().checked_div(columns).unwrap_or(0), columns];
        let elements = match target {
            Target::Classes(_) => Elements::I64(labels.iter().map(|label| i64::from(*label)).collect()),
            Target::Number => Elements::F32(labels.iter().map(|label| f32::from_bits(*label)).collect()),
        };
        self.tensors.insert("batch.input".to_owned(), (shape, Elements::F32(inputs)));
        self.tensors.insert("batch.labels".to_owned(), (vec![labels.len()], elements));
    }

    /// Gives a network these weights, all of them or none.
    ///
    /// # Errors
    /// They are not exactly its tensors: the error names every one that differs.
    pub(super) fn give(&self, tensors: &[Tensor], arena: &mut Arena<'_>) -> Result<(), WeightsError> {
        let mut wrong = Vec::new();
        let mut fitting = Vec::with_capacity(tensors.len());
        for tensor in tensors {
            match self.tensors.get(&tensor.name) {
                None => wrong.push(format!("`{}` {:?} is missing", tensor.name, tensor.shape)),
                Some((shape, _)) if *shape != tensor.shape => wrong.push(format!(
                    "`{}` has the shape {shape:?}; the network's is {:?}",
                    tensor.name, tensor.shape
                )),
                Some((_, Elements::F32(elements))) => fitting.push((tensor, elements)),
                Some((_, Elements::I64(_))) => wrong.push(format!("`{}` is I64, not F32", tensor.name)),
                Some((_, Elements::Other(found))) => {
                    wrong.push(format!("`{}` is {found:?}, not F32", tensor.name));
                }
            }
        }
        let unknown = self.tensors.keys().filter(|name| tensors.iter().all(|tensor| tensor.name != **name));
        wrong.extend(unknown.map(|name| format!("`{name}` is no tensor of the network")));
        if !wrong.is_empty() {
            return Err(WeightsError::Unfit { path: self.path.clone(), found: shortened(&wrong) });
        }
        for (tensor, elements) in fitting {
            let region = match tensor.region {
                Region::Parameters => &mut *arena.parameters,
                Region::Statistics => &mut *arena.statistics,
            };
            for (at, element) in tensor.places().zip(elements) {
                if let Some(value) = region.get_mut(at) {
                    *value = *element;
                }
            }
        }
        Ok(())
    }
}

/// The first differences, and how many more there are.
fn shortened(wrong: &[String]) -> String {
    const MOST: usize = 6;
    let mut text = wrong.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join("; ");
    if let Some(more @ 1..) = wrong.len().checked_sub(MOST) {
        text += &format!("; and {more} more");
    }
    text
}

/// The file's bytes as numbers; `deserialize` has made sure that they are whole.
fn numbers<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|bytes| number(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::architecture::{Architecture, Head, Norm};
    use crate::init::Init;
    use crate::net::{Place, Plan};
    use crate::random::Random;
    use crate::weights::tensors;

    /// What `of` says of a small network with batch norm: its tensors and its arena, started from a seed.
    fn network<R>(seed: u64, of: impl FnOnce(&[Tensor], &mut Arena<'_>) -> R) -> R {
        let plain = Architecture::plain(2, 3, Activation::Tanh, Init::XAVIER);
        let built = Architecture { norm: Norm::Batch, ..plain }.build(4, Head::Linear(2, Init::LECUN));
        let mut places = vec![Place::default(); built.layers.len()];
        let plan = Plan::new(4, 2, &built.layers, &mut places).unwrap();
        let mut memory = vec![0.0; plan.arena_len(0, 1).unwrap()];
        let mut arena = Arena::new(&plan, 0, 1, &mut memory).unwrap();
        arena.initialise(&plan, &mut Random::stream(seed, 1));
        of(&tensors(&plan, &built), &mut arena)
    }

    fn saved(seed: u64) -> Weights {
        network(seed, |tensors, arena| Weights::of_parameters(tensors, arena))
    }

    fn read(bytes: &[u8]) -> Result<Weights, WeightsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        fs::write(&path, bytes).unwrap();
        Weights::read(&path)
    }

    #[test]
    fn what_was_saved_comes_back_bit_by_bit() {
        let weights = read(&saved(1).bytes().unwrap()).unwrap();
        assert_eq!(weights.tensors, saved(1).tensors);
        network(2, |tensors, arena| {
            let before = arena.parameters.to_vec();
            weights.give(tensors, arena).unwrap();
            assert_ne!(arena.parameters, &before[..]);
            assert_eq!(Weights::of_parameters(tensors, arena).tensors, saved(1).tensors);
        });
    }

    #[test]
    fn weights_of_another_network_are_refused_by_name_and_change_nothing() {
        let mut weights = saved(1);
        let (shape, elements) = weights.tensors.remove("hidden.2.weight").unwrap();
        weights.tensors.insert("hidden.9.weight".to_owned(), (shape, elements.clone()));
        weights.tensors.insert("hidden.1.bias".to_owned(), (vec![9], elements));
        let running = weights.tensors.get_mut("hidden.1.norm.running_mean").unwrap();
        running.1 = Elements::Other(Dtype::BF16);
        network(2, |tensors, arena| {
            let before = arena.parameters.to_vec();
            let error = weights.give(tensors, arena).unwrap_err().to_string();
            for words in [
                "`hidden.2.weight` [3, 3] is missing",
                "`hidden.1.bias` has the shape [9]; the network's is [3]",
                "`hidden.1.norm.running_mean` is BF16, not F32",
                "`hidden.9.weight` is no tensor of the network",
            ] {
                assert!(error.contains(words), "{error}");
            }
            assert_eq!(arena.parameters, &before[..]);
        });
    }

    /// Every file cut short, and every file with a byte changed, is an error or other weights; none is a panic.
    #[test]
    fn hostile_files_are_errors() {
        let whole = saved(1).bytes().unwrap();
        for length in 0..whole.len() {
            assert!(matches!(read(&whole[..length]), Err(WeightsError::Malformed { .. })), "{length} bytes");
        }
        let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
        for at in 0..header {
            for change in [0x01, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= change;
                if let Ok(weights) = read(&bytes) {
                    let _ = network(1, |tensors, arena| weights.give(tensors, arena));
                }
            }
        }
        let huge = br#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}"#;
        let bytes = [&(huge.len() as u64).to_le_bytes()[..], huge].concat();
        assert!(matches!(read(&bytes), Err(WeightsError::Malformed { .. })));
    }
}
