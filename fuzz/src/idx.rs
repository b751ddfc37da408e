//! The reader of MNIST's format on any four files, plain or compressed: an error or data that keep what [`Splits`] promises, and no panic.
//!
//! Bytes: three lengths of two bytes each cut the rest into the four files, the lowest bits of a first byte say which of them are
//! compressed.

use std::fs;

use isobath::data::{Sizes, Source, Splits};

use crate::folder::folder;

const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Samples that are asked for.
pub(crate) const SIZES: Sizes = Sizes { train: 20, validation: 5, test: 5 };

/// Writes the files and reads them.
pub fn run(bytes: &[u8]) {
    let Some((&[compressed, ref lengths @ ..], mut rest)) = bytes.split_first_chunk::<7>() else { return };
    let folder = folder();
    for (i, name) in FILES.iter().enumerate() {
        let length = match lengths.get(2 * i..2 * i + 2) {
            Some(&[low, high]) => usize::from(u16::from_le_bytes([low, high])).min(rest.len()),
            _ => rest.len(),
        };
        let (file, behind) = rest.split_at(length);
        rest = behind;
        let packed = format!("{name}.gz");
        let (written, absent) = if compressed >> i & 1 == 1 { (&*packed, *name) } else { (*name, &*packed) };
        // Where it has not been written before there is nothing to remove.
        let _ = fs::remove_file(folder.join(absent));
        fs::write(folder.join(written), file).expect("the folder takes files");
    }
    let loaded = Source::Idx(folder.clone()).load(&SIZES, 1);
    drop(folder);
    match loaded {
        Ok(splits) => check(&splits),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Sizes, finite inputs, and labels among the classes.
pub(crate) fn check(splits: &Splits) {
    let parts =
        [(&splits.train, SIZES.train), (&splits.validation, SIZES.validation), (&splits.test, SIZES.test)];
    assert!(!splits.train.is_empty());
    for (part, most) in parts {
        assert!(part.len() <= most, "{} samples, asked for {most}", part.len());
        assert_eq!(part.inputs().len(), part.len() * part.features());
        assert_eq!(part.labels().len(), part.len());
        assert!(part.inputs().iter().all(|x| x.is_finite()));
        assert!(part.labels().iter().all(|&label| (label as usize) < part.classes()));
        assert_eq!(part.form(), splits.train.form());
        assert_eq!(part.classes(), splits.train.classes());
    }
}
