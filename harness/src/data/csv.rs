//! CSV with a header row: one column, found by its name, holds the labels, all others numbers.
//!
//! Labels are integers or any text; the different ones, sorted (integers by value, otherwise as text), are the
//! classes 0, 1, ... The rows are split by a seeded shuffle into training, validation and test part.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::dataset::{Dataset, Splits};
use super::error::DataError;
use super::form::Form;
use super::source::Sizes;
use super::split::split;
use crate::random::Random;
use crate::suggest::did_you_mean;

/// Reads a file whose labels stand in the column called `label`.
pub(super) fn load(path: &Path, label: &str, sizes: Sizes, random: &mut Random) -> Result<Splits, DataError> {
    let table = Table::read(path, label)?;
    let (labels, classes) = number_labels(&table.labels);
    if classes < 2 {
        let place = format!("column `{label}`");
        return Err(DataError::file(path, place, format!("{classes} different labels"), "at least 2"));
    }
    let Ok(count) = u32::try_from(labels.len()) else {
        return Err(DataError::file(path, "rows", labels.len().to_string(), format!("at most {}", u32::MAX)));
    };
    let name = format!("csv:{}", path.display());
    let gather = |indices: &[u32]| {
        let row = |&i: &u32| &table.numbers[i as usize * table.features..(i as usize + 1) * table.features];
        let inputs = indices.iter().flat_map(row).copied().collect();
        let labels = indices.iter().map(|&i| labels[i as usize]).collect();
        Dataset::new(&name, Form::Vector(table.features), classes, inputs, labels)
    };
    let parts = split(count, sizes, random);
    Splits::standardised(gather(&parts.train)?, gather(&parts.validation)?, gather(&parts.test)?)
}

/// The cells of a file.
struct Table {
    features: usize,
    numbers: Vec<f32>,
    labels: Vec<String>,
}

impl Table {
    fn read(path: &Path, label: &str) -> Result<Self, DataError> {
        let text = fs::read(path).map_err(|source| DataError::Read { path: path.into(), source })?;
        let not_text = |error: csv::Error| {
            let place = format!("line {}", line(&text, error.position()));
            DataError::file(path, place, "bytes that are not UTF-8", "UTF-8 text")
        };
        let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(&text[..]);
        let header = reader.headers().map_err(not_text)?.clone();
        let label_column = find_label(path, &header, label)?;
        let mut table = Self { features: header.len() - 1, numbers: Vec::new(), labels: Vec::new() };
        for record in reader.records() {
            let record = record.map_err(not_text)?;
            let line = || line(&text, record.position());
            if record.len() != header.len() {
                let found = format!("{} cells", record.len());
                let allowed = format!("{}, one per column of the header", header.len());
                return Err(DataError::file(path, format!("line {}", line()), found, allowed));
            }
            for (column, (cell, name)) in record.iter().zip(&header).enumerate() {
                let bad = |allowed| {
                    let found = if cell.is_empty() { "an empty cell".into() } else { format!("`{cell}`") };
                    DataError::file(path, format!("line {}, column `{name}`", line()), found, allowed)
                };
                if column != label_column {
                    let number = cell.parse().ok().filter(|number: &f32| number.is_finite());
                    table.numbers.push(number.ok_or_else(|| bad("a finite number"))?);
                } else if cell.is_empty() {
                    return Err(bad("an integer or a text"));
                } else {
                    table.labels.push(cell.into());
                }
            }
        }
        Ok(table)
    }
}

/// The one column with the label's name.
fn find_label(path: &Path, header: &StringRecord, label: &str) -> Result<usize, DataError> {
    let mut columns = header.iter().enumerate().filter(|&(_, name)| name == label);
    let Some((column, _)) = columns.next() else {
        let names = header.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let found = if names.is_empty() { "nothing" } else { &names };
        let near = did_you_mean(label, header.iter());
        let allowed = format!("a column `{label}` with the labels{near}");
        return Err(DataError::file(path, "header", found, allowed));
    };
    if columns.next().is_some() {
        let found = format!("more than one column `{label}`");
        return Err(DataError::file(path, "header", found, "one with the labels"));
    }
    if header.len() < 2 {
        return Err(DataError::file(path, "header", format!("only `{label}`"), "at least one other column"));
    }
    Ok(column)
}

/// Numbers labels in sorted order; returns them with the number of classes.
fn number_labels(labels: &[String]) -> (Vec<u32>, usize) {
    fn number<T: Ord>(labels: &[T]) -> (Vec<u32>, usize) {
        let sorted: Vec<&T> = labels.iter().collect::<BTreeSet<_>>().into_iter().collect();
        let class = |label| sorted.partition_point(|other| *other < label) as u32;
        (labels.iter().map(class).collect(), sorted.len())
    }
    match labels.iter().map(|label| label.parse()).collect::<Result<Vec<i64>, _>>() {
        Ok(integers) => number(&integers),
        Err(_) => number(labels),
    }
}

/// The line, from 1, of the record at a position; the reader counts blank lines before a record to it.
fn line(text: &[u8], position: Option<&csv::Position>) -> usize {
    let start = position.map_or(0, |position| position.byte() as usize);
    let (before, rest) = text.split_at(start.min(text.len()));
    let blank = rest.iter().take_while(|byte| b"\r\n".contains(byte));
    1 + before.iter().chain(blank).filter(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests;
