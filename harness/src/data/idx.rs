//! IDX, the format of MNIST and its relatives, plain or gzip-compressed.
//!
//! A folder holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
//! t10k-labels-idx1-ubyte, each with or without .gz. Big-endian header: magic number (0x00000803 images,
//! 0x00000801 labels), count, and for images rows and columns; then one byte per pixel or label. Nothing is
//! allocated on a header's word alone. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database".

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::dataset::{Dataset, Splits};
use super::error::DataError;
use super::form::Form;
use super::source::Sizes;
use super::split::{choose, split};
use crate::random::Random;

/// The most bytes of pixels that a file may announce, 22 times those of MNIST.
const LIMIT: u64 = 1 << 30;

/// Reads a folder; `sizes.test` counts samples of the t10k files, the others samples of the train files.
pub(super) fn load(folder: &Path, sizes: Sizes, random: &mut Random) -> Result<Splits, DataError> {
    let train = Samples::read(folder, "train")?;
    let test = Samples::read(folder, "t10k")?;
    if (test.height, test.width) != (train.height, train.width) {
        let found = format!("{} x {}", test.height, test.width);
        let allowed = format!("{} x {} as in the training part", train.height, train.width);
        return Err(DataError::file(&test.images, "image size", found, allowed));
    }
    let classes = train.classes().max(2);
    if test.classes() > classes {
        let found = format!("label {}", test.classes() - 1);
        let allowed = format!("0 to {}, the largest training label", classes - 1);
        return Err(DataError::file(&test.labels, "labels", found, allowed));
    }
    let name = format!("idx:{}", folder.display());
    let parts = split(train.count(), Sizes { test: 0, ..sizes }, random);
    let test_part = choose(test.count(), sizes.test, random);
    Splits::standardised(
        train.gather(&name, &parts.train, classes)?,
        train.gather(&name, &parts.validation, classes)?,
        test.gather(&name, &test_part, classes)?,
    )
}

/// Images with their labels, as they stand in a pair of files.
struct Samples {
    images: PathBuf,
    labels: PathBuf,
    height: usize,
    width: usize,
    pixels: Vec<u8>,
    digits: Vec<u8>,
}

impl Samples {
    fn read(folder: &Path, part: &str) -> Result<Self, DataError> {
        let (images, [count, height, width], pixels) =
            read(folder, &format!("{part}-images-idx3-ubyte"), 0x0803, ["image count", "rows", "columns"])?;
        let (labels, [label_count], digits) =
            read(folder, &format!("{part}-labels-idx1-ubyte"), 0x0801, ["label count"])?;
        if label_count != count {
            let allowed = format!("{count}, the number of images in {}", images.display());
            return Err(DataError::file(&labels, "label count", label_count.to_string(), allowed));
        }
        let (height, width) = (height as usize, width as usize);
        Ok(Self { images, labels, height, width, pixels, digits })
    }

    fn count(&self) -> u32 {
        self.digits.len() as u32
    }

    fn classes(&self) -> usize {
        self.digits.iter().map(|&label| usize::from(label) + 1).max().unwrap_or(0)
    }

    fn gather(&self, name: &str, indices: &[u32], classes: usize) -> Result<Dataset, DataError> {
        let features = self.height * self.width;
        let mut inputs = Vec::new();
        let memory = |_| DataError::Memory { samples: indices.len(), features };
        inputs.try_reserve_exact(indices.len() * features).map_err(memory)?;
        let mut labels = Vec::with_capacity(indices.len());
        for &i in indices {
            let start = i as usize * features;
            inputs.extend(self.pixels[start..start + features].iter().map(|&pixel| f32::from(pixel)));
            labels.push(u32::from(self.digits[i as usize]));
        }
        Dataset::new(name, Form::Image(self.height, self.width), classes, inputs, labels)
    }
}

/// Reads one file: its path, the numbers in its header, and the bytes after it, as many as the product of the
/// numbers.
fn read<const N: usize>(
    folder: &Path,
    name: &str,
    magic: u32,
    fields: [&str; N],
) -> Result<(PathBuf, [u32; N], Vec<u8>), DataError> {
    let (path, mut reader) = open(folder, name)?;
    let found = word(&path, "magic number", &mut reader)?;
    if found != magic {
        return Err(DataError::file(
            &path,
            "magic number",
            format!("{found:#010x}"),
            format!("{magic:#010x}"),
        ));
    }
    let mut numbers = [0; N];
    for (number, field) in numbers.iter_mut().zip(fields) {
        *number = word(&path, field, &mut reader)?;
        if *number == 0 {
            return Err(DataError::file(&path, field, "0", "at least 1"));
        }
    }
    let announced = numbers.iter().try_fold(1_u64, |product, &n| product.checked_mul(u64::from(n)));
    let Some(length) = announced.filter(|&length| length <= LIMIT) else {
        let product = numbers.map(|n| n.to_string()).join(" x ");
        return Err(DataError::file(&path, fields.join(" x "), product, format!("at most {LIMIT} bytes")));
    };
    let mut bytes = Vec::new();
    let read = reader.take(length + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&path, error))?;
    if (read as u64) < length {
        let allowed = format!("{length}, as the header says");
        return Err(DataError::file(
            &path,
            "bytes after the header",
            format!("{read}, then the end"),
            allowed,
        ));
    }
    if read as u64 > length {
        let allowed = format!("{length}, as the header says");
        return Err(DataError::file(&path, "bytes after the header", "more", allowed));
    }
    Ok((path, numbers, bytes))
}

/// Opens the plain file, or else the compressed one.
fn open(folder: &Path, name: &str) -> Result<(PathBuf, Box<dyn Read>), DataError> {
    let plain = folder.join(name);
    match File::open(&plain) {
        Ok(file) => Ok((plain, Box::new(io::BufReader::new(file)))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let compressed = folder.join(format!("{name}.gz"));
            match File::open(&compressed) {
                Ok(file) => Ok((compressed, Box::new(MultiGzDecoder::new(io::BufReader::new(file))))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Err(DataError::file(
                    folder,
                    "files",
                    format!("no {name}"),
                    format!("{name} or {name}.gz"),
                )),
                Err(source) => Err(DataError::Read { path: compressed, source }),
            }
        }
        Err(source) => Err(DataError::Read { path: plain, source }),
    }
}

/// The next big-endian number of a header.
fn word(path: &Path, field: &str, reader: &mut impl Read) -> Result<u32, DataError> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            DataError::file(path, field, "the end of the file", "4 bytes of the header")
        }
        _ => unreadable(path, error),
    })?;
    Ok(u32::from_be_bytes(bytes))
}

fn unreadable(path: &Path, source: io::Error) -> DataError {
    DataError::Read { path: path.into(), source }
}

#[cfg(test)]
mod tests;
