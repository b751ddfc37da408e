//! The weights that `isobath train --load` takes, from any file: an error that names it, or weights that a network starts from bit
//! by bit, or refuses as a whole. No panic.
//!
//! Bytes: an even first byte, then a file; or an odd one, a header up to the first byte 0 or the end, and behind that the tensors:
//! its length, which no mutation would keep right, is put before it.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use isobath::architecture::Built;
use isobath::data::{Splits, Target};
use isobath::net::{Arena, Plan};
use isobath::study::single::Single;
use isobath::threads::Serial;
use isobath::train::{Keeper, TrainError, train_kept};
use isobath::weights::{Weights, WeightsError, WeightsKeeper};
use isobath_kernels::Level;

use crate::folder::folder;

/// A network with every kind of tensor that fits into a few hundred bytes.
const NETWORK: &str = r#"
[data]
source = "two-spirals"
train = 4
test = 2
[training]
steps = 1
batch = 2
record_every = 1
[optimizer]
name = "sgd"
rate = 0.1
[network]
name = "n"
depth = 2
width = 3
activation = "prelu"
init = "xavier"
norm = "batch"
"#;

/// Reads the bytes as weights, and starts the network from them.
pub fn run(bytes: &[u8]) {
    let Some((&kind, rest)) = bytes.split_first() else { return };
    let file = if kind % 2 == 0 { rest.to_vec() } else { with_length(rest) };
    let folder = folder();
    let path = folder.join("weights.safetensors");
    let weights = match read(&path, &file) {
        Ok(weights) => weights,
        Err(error) => return assert!(error.to_string().starts_with(&path.display().to_string())),
    };
    if let Ok(written) = weights.bytes() {
        let again = read(&path, &written).expect("what was written is read").bytes();
        assert_eq!(written, again.expect("and written again"));
    }
    let (single, data) = network(&folder);
    let mut keeper = Started(WeightsKeeper { load: Some(weights), ..WeightsKeeper::default() });
    let (recipe, level) = (&single.recipe, Level::SCALAR);
    // Told to stop after the first step.
    match train_kept(recipe, &data.train, &data.test, 1, level, &Serial, &mut keeper, |_, _| false) {
        Ok(_) => {}
        Err(TrainError::Weights(error)) => assert!(error.to_string().contains("does not fit the network")),
        Err(error) => panic!("{error}"),
    }
}

/// A header, its length before it, and what follows its first byte 0.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (header, tensors) = bytes.split_at(end);
    [&(header.len() as u64).to_le_bytes(), header, tensors.get(1..).unwrap_or_default()].concat()
}

fn read(path: &Path, file: &[u8]) -> Result<Weights, WeightsError> {
    fs::write(path, file).expect("the folder takes files");
    Weights::read(path)
}

/// The network and its samples, made once.
fn network(folder: &Path) -> &'static (Single, Splits) {
    static NETWORK_AND_DATA: OnceLock<(Single, Splits)> = OnceLock::new();
    NETWORK_AND_DATA.get_or_init(|| {
        let path = folder.join("network.toml");
        fs::write(&path, NETWORK).expect("the folder takes files");
        let single = Single::load(&path).expect("a network");
        let data = single.source.load(&single.sizes, 1).expect("two spirals");
        (single, data)
    })
}

/// Looks at a network that starts from a file: its tensors are the file's, to the bit.
struct Started(WeightsKeeper);

impl Keeper for Started {
    fn start(&mut self, plan: &Plan<'_>, built: &Built, arena: &mut Arena<'_>) -> Result<(), WeightsError> {
        self.0.start(plan, built, arena)?;
        self.0.end(plan, built, arena);
        let bytes = |weights: &Weights| weights.bytes().expect("F32 alone");
        assert_eq!(self.0.load.as_ref().map(bytes), Some(bytes(&self.0.last)));
        Ok(())
    }

    fn first_gradients(&mut self, _: &Plan<'_>, _: &Built, _: &mut Arena<'_>, _: &[u32], _: Target) {}

    fn end(&mut self, _: &Plan<'_>, _: &Built, _: &Arena<'_>) {}
}
