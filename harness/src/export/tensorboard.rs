//! The table as TensorBoard's event files: a folder per run, a scalar per figure, and of a step's layers a histogram.
//!
//! Scalars are `loss` and so on of the network, `log10_delta/layer_3` and so on of a layer; they are F32, all that the format
//! has. Records hold figures of layers and no single values of units, so the histogram `log10_delta/layers` is one over
//! the layers: how far apart they are. Records have no times either: all events have the time of the file.
//!
//! A file is a list of records: length (u64), its masked CRC-32C, an `Event` as a protocol buffer, its masked CRC-32C; little
//! endian. Source: `record_writer`, `event.proto` and `summary.proto` of TensorFlow and TensorBoard.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::table::{LAYER_FIGURES, Row, phase_name};
use super::varint;
use crate::study::store::RunId;

/// What TensorBoard knows an event file by is `tfevents` in its name.
const NAME: &str = "events.out.tfevents.isobath";
/// Buckets of a histogram.
const BUCKETS: usize = 16;

/// The event files of all runs, by their paths in the log folder. `seconds` since 1970 is the time of their events.
///
/// ```
/// use isobath::export::table::Row;
/// use isobath::export::tensorboard;
/// use isobath::study::store::{Phase, RunId};
///
/// let row = |seed| {
///     let id = RunId { network: "deep/untreated".to_owned(), phase: Phase::Trial, setting: 0, seed };
///     Row { id, step: 50, layer: None, figures: vec![Some(0.75), Some(0.0), None, None, None] }
/// };
/// // A file in a folder of its own for each of the two runs.
/// let files = tensorboard::files(&[row(0), row(1)], 0.0);
/// let paths: Vec<_> = files.iter().map(|(path, _)| path.display().to_string()).collect();
/// assert!(paths[0].starts_with("deep/untreated/trial setting 0 seed 0"));
/// assert!(paths[1].starts_with("deep/untreated/trial setting 0 seed 1"));
/// assert!(paths.iter().all(|path| path.contains("tfevents")));
/// ```
pub fn files(rows: &[Row], seconds: f64) -> Vec<(PathBuf, Vec<u8>)> {
    let mut taken = BTreeSet::new();
    let runs = rows.chunk_by(|a, b| a.id == b.id);
    let file = |run: &[Row]| {
        let mut folder = run.first().map(|row| folder(&row.id)).unwrap_or_default();
        // Names that differ in letters which a folder may not have.
        while !taken.insert(folder.clone()) {
            folder.push('_');
        }
        (PathBuf::from(folder).join(NAME), events(run, seconds))
    };
    runs.map(file).collect()
}

/// The folder of a run: group, row, and which run of it. Letters that a system may not take are underscores, and so is a name
/// without letters: a path that begins with a slash leaves the log folder.
fn folder(id: &RunId) -> String {
    let plain = |part: &str| {
        let is_plain = |letter: char| letter.is_alphanumeric() || " -_+=,".contains(letter);
        let part = if part.is_empty() { "_" } else { part };
        part.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect::<String>()
    };
    let network: Vec<String> = id.network.splitn(2, '/').map(plain).collect();
    format!("{}/{} setting {} seed {}", network.join("/"), phase_name(id.phase), id.setting, id.seed)
}

/// The event file of one run.
fn events(run: &[Row], seconds: f64) -> Vec<u8> {
    let mut file = Vec::new();
    append(&mut file, &event(seconds, 0, |event| event.bytes(3, b"brain.Event:2")));
    for step in run.chunk_by(|a, b| a.step == b.step) {
        let depth = step.iter().filter_map(|row| row.layer).max().unwrap_or(0);
        let digits = depth.to_string().len();
        let mut summary = Message::default();
        for row in step {
            for (name, value) in row.known() {
                let tag = match row.layer {
                    Some(layer) => format!("{name}/layer_{layer:0digits$}"),
                    None => name.to_owned(),
                };
                summary.message(1, |of| {
                    of.bytes(1, tag.as_bytes());
                    of.float(2, value as f32);
                });
            }
        }
        for (i, name) in LAYER_FIGURES.iter().enumerate() {
            let layers = step.iter().filter(|row| row.layer.is_some());
            let values: Vec<f64> = layers.filter_map(|row| row.figures.get(i).copied().flatten()).collect();
            if values.len() > 1 {
                summary.message(1, |of| {
                    of.bytes(1, format!("{name}/layers").as_bytes());
                    of.message(5, |of| histogram(of, &values));
                });
            }
        }
        let number = step.first().map_or(0, |row| row.step);
        append(&mut file, &event(seconds, number, |event| event.bytes(5, &summary.0)));
    }
    file
}

fn event(seconds: f64, step: usize, content: impl FnOnce(&mut Message)) -> Vec<u8> {
    let mut event = Message::default();
    event.double(1, seconds);
    event.integer(2, step as u64);
    content(&mut event);
    event.0
}

/// Least, largest, number, sum, sum of squares; upper limits of equal buckets, and how many values lie in each.
fn histogram(of: &mut Message, values: &[f64]) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let buckets = if least < largest { BUCKETS } else { 1 };
    let width = (largest - least) / buckets as f64;
    let mut counts = vec![0.0; buckets];
    for value in values {
        let bucket = if width > 0.0 { ((value - least) / width) as usize } else { 0 };
        counts[bucket.min(buckets - 1)] += 1.0;
    }
    let limit = |bucket: usize| if bucket == buckets { largest } else { least + width * bucket as f64 };
    let limits: Vec<f64> = (1..=buckets).map(limit).collect();
    of.double(1, least);
    of.double(2, largest);
    of.double(3, values.len() as f64);
    of.double(4, values.iter().sum());
    of.double(5, values.iter().map(|value| value * value).sum());
    of.doubles(6, &limits);
    of.doubles(7, &counts);
}

/// Appends a record to a file.
fn append(file: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(masked(&length).to_le_bytes());
    file.extend(data);
    file.extend(masked(data).to_le_bytes());
}

/// The checksum, so changed that one of data with checksums in it is no special case.
fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A message of a protocol buffer: fields of a number and a type, then a value.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn key(&mut self, field: u64, wire: u64) {
        varint(field << 3 | wire, &mut self.0);
    }

    fn integer(&mut self, field: u64, value: u64) {
        self.key(field, 0);
        varint(value, &mut self.0);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
    }

    fn float(&mut self, field: u64, value: f32) {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.key(field, 2);
        varint(value.len() as u64, &mut self.0);
        self.0.extend(value);
    }

    fn doubles(&mut self, field: u64, values: &[f64]) {
        self.bytes(field, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
    }

    fn message(&mut self, field: u64, content: impl FnOnce(&mut Self)) {
        let mut message = Self::default();
        content(&mut message);
        self.bytes(field, &message.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::table::{rows, tests::runs};
    use crate::study::store::Phase;

    #[test]
    fn checksums_are_those_of_the_algorithm() {
        // CRC-32C of "123456789" is the check value of the catalogue of parametrised CRC algorithms.
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        // The reader of TensorBoard 2 gives this one for the same bytes.
        assert_eq!(masked(b"123456789"), 0xc78a_b0e5);
    }

    #[test]
    fn a_scalar_event_is_these_bytes() {
        let mut row = rows(&runs()).remove(0);
        row.step = 300;
        row.figures = vec![Some(1.0), None, None, None, None];
        let file = events(&[row], 0.5);
        let second = &file[8 + 4 + 9 + 2 + 15 + 4..];
        assert_eq!(second[..8], 27u64.to_le_bytes());
        let expected = [
            &[0x09][..],
            &0.5f64.to_le_bytes(),
            &[0x10, 0xac, 0x02], // step 300
            &[0x2a, 0x0d, 0x0a, 0x0b, 0x0a, 0x04],
            b"loss",
            &[0x15],
            &1.0f32.to_le_bytes(),
        ];
        assert_eq!(second[12..][..27], expected.concat());
        assert_eq!(second.len(), 8 + 4 + 27 + 4);
    }

    #[test]
    fn a_histogram_counts_every_value_once() {
        for values in [vec![1.0, 2.0, 2.0, 5.0], vec![3.0, 3.0], vec![-1e300, 1e300]] {
            let mut message = Message::default();
            histogram(&mut message, &values);
            let doubles: Vec<f64> = message.0[..45]
                .chunks(9)
                .map(|chunk| f64::from_le_bytes(chunk[1..].try_into().unwrap()))
                .collect();
            assert_eq!(doubles[2], values.len() as f64);
            assert_eq!(doubles[3], values.iter().sum::<f64>());
            let counts = message.0.chunks_exact(8).count();
            assert!(counts > 0);
            let buckets = if values[0] == values[1] { 1 } else { BUCKETS };
            let counts = &message.0[message.0.len() - 8 * buckets..];
            let counts = counts.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes));
            assert_eq!(counts.sum::<f64>(), values.len() as f64, "{values:?}");
        }
    }

    #[test]
    fn runs_have_folders_of_their_own_inside_the_log_folder() {
        let id =
            |network: &str| RunId { network: network.to_owned(), phase: Phase::Trial, setting: 0, seed: 1 };
        assert_eq!(folder(&id("sick/no remedy")), "sick/no remedy/trial setting 0 seed 1");
        for (network, expected) in
            [("../../x", "__/___x"), ("/x", "_/x"), ("x/", "x/_"), ("//x", "_/_x"), ("", "_"), ("/", "_/_")]
        {
            assert_eq!(folder(&id(network)), format!("{expected}/trial setting 0 seed 1"));
        }
        let mut rows = rows(&runs());
        let (first, second) = rows.split_at_mut(9);
        first.iter_mut().for_each(|row| row.id = id("a?"));
        second.iter_mut().for_each(|row| row.id = id("a!"));
        let files = files(&rows, 0.0);
        assert_eq!(files.len(), 2);
        assert_ne!(files[0].0, files[1].0);
    }
}
