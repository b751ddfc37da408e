//! The table as an Apache Parquet file: texts as UTF-8, whole numbers as INT64, figures as DOUBLE, null where there is none.
//!
//! Groups of 65536 rows; of each column one page, plainly encoded, compressed by gzip. No dictionaries, no statistics: such
//! tables have some thousand rows. The `parquet` crate could do it as well, but would take
//! half of the time in which this command must build. Source: the Apache Parquet format specification, `parquet.thrift` and `Encodings.md`.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::table::{KEYS, LAYER_FIGURES, NETWORK_FIGURES, Row, phase_name};
use super::thrift::Structure;
use super::varint;

const MAGIC: &[u8] = b"PAR1";
const ROWS_OF_GROUP: usize = 1 << 16;
/// Enumerations of the format.
const PLAIN: i32 = 0;
const RLE: i32 = 3;
const GZIP: i32 = 2;
const DATA_PAGE: i32 = 0;
const UTF8: i32 = 0;

/// The types of columns, by their number in the format.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Int64 = 2,
    Double = 5,
    Text = 6,
}

/// The values of a column in a group: their bytes one after the other, and which rows have one, if any may not.
struct Column {
    name: &'static str,
    kind: Type,
    present: Option<Vec<bool>>,
    values: Vec<u8>,
}

impl Column {
    fn texts<'a>(name: &'static str, texts: impl Iterator<Item = &'a str>) -> Self {
        let length = |text: &str| (text.len() as u32).to_le_bytes();
        let values = texts.flat_map(|text| [&length(text)[..], text.as_bytes()].concat()).collect();
        Self { name, kind: Type::Text, present: None, values }
    }

    fn numbers(name: &'static str, numbers: impl Iterator<Item = usize>) -> Self {
        let values = numbers.flat_map(|number| (number as i64).to_le_bytes()).collect();
        Self { name, kind: Type::Int64, present: None, values }
    }

    fn optional(name: &'static str, kind: Type, values: impl Iterator<Item = Option<[u8; 8]>>) -> Self {
        let values: Vec<_> = values.collect();
        let present = Some(values.iter().map(Option::is_some).collect());
        Self { name, kind, present, values: values.into_iter().flatten().flatten().collect() }
    }

    fn schema(&self) -> Structure {
        let element = Structure::default().i32(1, self.kind as i32).i32(3, self.present.is_some().into());
        let element = element.text(4, self.name);
        if self.kind == Type::Text { element.i32(6, UTF8) } else { element }
    }

    /// Appends its page to the file and describes it; also the bytes that it takes uncompressed.
    fn append(&self, rows: usize, file: &mut Vec<u8>) -> io::Result<(Structure, i64)> {
        let mut page = Vec::new();
        if let Some(present) = &self.present {
            let levels = levels(present);
            page.extend((levels.len() as u32).to_le_bytes());
            page.extend(levels);
        }
        page.extend(&self.values);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&page)?;
        let compressed = encoder.finish()?;
        let length = |bytes: &[u8]| i32::try_from(bytes.len()).map_err(io::Error::other);
        let data = Structure::default().i32(1, rows as i32).i32(2, PLAIN).i32(3, RLE).i32(4, RLE);
        let header = Structure::default()
            .i32(1, DATA_PAGE)
            .i32(2, length(&page)?)
            .i32(3, length(&compressed)?)
            .structure(5, data)
            .end();
        let start = file.len() as i64;
        let (whole, packed) = ((header.len() + page.len()) as i64, (header.len() + compressed.len()) as i64);
        file.extend(header);
        file.extend(compressed);
        let metadata = Structure::default()
            .i32(1, self.kind as i32)
            .integers(2, &[PLAIN, RLE])
            .texts(3, &[self.name])
            .i32(4, GZIP)
            .i64(5, rows as i64)
            .i64(6, whole)
            .i64(7, packed)
            .i64(9, start);
        Ok((Structure::default().i64(2, start).structure(3, metadata), whole))
    }
}

/// One bit per row, in groups of eight, lowest first: a single run of the hybrid encoding.
fn levels(present: &[bool]) -> Vec<u8> {
    let groups = present.chunks(8);
    let mut bytes = Vec::new();
    varint((groups.len() as u64) << 1 | 1, &mut bytes);
    bytes.extend(groups.map(|group| group.iter().rev().fold(0, |byte, is| byte << 1 | u8::from(*is))));
    bytes
}

fn columns(rows: &[Row]) -> Vec<Column> {
    let ids = rows.iter().map(|row| &row.id);
    let [network, phase, setting, seed, step, layer] = KEYS;
    let layers = rows.iter().map(|row| row.layer.map(|layer| (layer as i64).to_le_bytes()));
    let mut columns = vec![
        Column::texts(network, ids.clone().map(|id| id.network.as_str())),
        Column::texts(phase, ids.clone().map(|id| phase_name(id.phase))),
        Column::numbers(setting, ids.clone().map(|id| id.setting)),
        Column::numbers(seed, ids.map(|id| id.seed)),
        Column::numbers(step, rows.iter().map(|row| row.step)),
        Column::optional(layer, Type::Int64, layers),
    ];
    for (i, name) in NETWORK_FIGURES.iter().chain(&LAYER_FIGURES).enumerate() {
        let values = rows.iter().map(|row| row.columns().nth(i).flatten().map(f64::to_le_bytes));
        columns.push(Column::optional(name, Type::Double, values));
    }
    columns
}

/// The file's bytes.
///
/// # Errors
/// A column of a group is longer than the format's pages, 2 GiB.
///
/// ```
/// use isobath::export::parquet;
/// use isobath::export::table::Row;
/// use isobath::study::store::{Phase, RunId};
///
/// let id = RunId { network: "deep/untreated".to_owned(), phase: Phase::Trial, setting: 0, seed: 1 };
/// let figures = vec![Some(0.75), Some(0.0), None, None, None];
/// let file = parquet::bytes(&[Row { id, step: 50, layer: None, figures }])?;
/// // The format's mark stands at both ends.
/// assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn bytes(rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut file = MAGIC.to_vec();
    let mut groups = Vec::new();
    for rows in rows.chunks(ROWS_OF_GROUP) {
        let (mut chunks, mut size) = (Vec::new(), 0);
        for column in columns(rows) {
            let (chunk, bytes) = column.append(rows.len(), &mut file)?;
            chunks.push(chunk);
            size += bytes;
        }
        groups.push(Structure::default().structures(1, chunks).i64(2, size).i64(3, rows.len() as i64));
    }
    let columns = columns(&[]);
    let root = Structure::default().text(4, "records").i32(5, columns.len() as i32);
    let schema = std::iter::once(root).chain(columns.iter().map(Column::schema)).collect();
    let footer = Structure::default()
        .i32(1, 1)
        .structures(2, schema)
        .i64(3, rows.len() as i64)
        .structures(4, groups)
        .text(6, concat!("isobath version ", env!("CARGO_PKG_VERSION")))
        .end();
    file.extend(&footer);
    file.extend(u32::try_from(footer.len()).map_err(io::Error::other)?.to_le_bytes());
    file.extend(MAGIC);
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::table::{rows, tests::runs};

    /// The specification's own example of a bit-packed run, for bits instead of numbers of three.
    #[test]
    fn levels_are_packed_from_the_lowest_bit() {
        assert_eq!(levels(&[true, false, false, true]), [0b11, 0b1001]);
        let nine = [false, true, false, false, false, false, false, false, true];
        assert_eq!(levels(&nine), [0b101, 0b10, 0b1]);
    }

    #[test]
    fn the_footer_is_where_its_length_says() {
        for rows in [rows(&runs()), Vec::new()] {
            let file = bytes(&rows).unwrap();
            assert!(file.starts_with(MAGIC) && file.ends_with(MAGIC));
            let (body, length) = file[..file.len() - 4].split_last_chunk().unwrap();
            let footer = &body[body.len() - u32::from_le_bytes(*length) as usize..];
            // Version 1, then a list of 22 elements of the schema.
            assert_eq!(footer[..4], [0x15, 0x02, 0x19, 0xfc]);
            assert_eq!(footer[4], 22);
            assert_eq!(footer.last(), Some(&0));
        }
    }

    /// A page's values, unpacked again.
    #[test]
    fn a_page_holds_levels_and_values() {
        let values = [Some(1.5f64), None, Some(-2.0)].map(|value| value.map(f64::to_le_bytes));
        let mut file = Vec::new();
        let column = Column::optional("x", Type::Double, values.into_iter());
        column.append(3, &mut file).unwrap();
        let start = file.windows(2).position(|two| two == [0x1f, 0x8b]).unwrap();
        let mut page = Vec::new();
        io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&file[start..]), &mut page).unwrap();
        let numbers = [1.5f64.to_le_bytes(), (-2.0f64).to_le_bytes()].concat();
        assert_eq!(page, [&[2, 0, 0, 0, 0b11, 0b101][..], &numbers].concat());
    }
}
