//! The table as CSV (RFC 4180): a line of names, then a line per row, null as nothing. Numbers have the fewest digits that
//! give back the same f64.

use std::io;

use super::table::{KEYS, LAYER_FIGURES, NETWORK_FIGURES, Row, phase_name};

/// The file's text.
///
/// # Errors
/// None that memory does not make.
///
/// ```
/// use isobath::export::csv;
/// use isobath::export::table::Row;
/// use isobath::study::store::{Phase, RunId};
///
/// let id = RunId { network: "deep/untreated".to_owned(), phase: Phase::Trial, setting: 0, seed: 1 };
/// // Loss and penalty of the network as a whole after 50 steps.
/// let figures = vec![Some(0.75), Some(0.0), None, None, None];
/// let text = csv::bytes(&[Row { id, step: 50, layer: None, figures }])?;
/// let text = String::from_utf8_lossy(&text);
/// let lines: Vec<&str> = text.lines().collect();
/// assert!(lines[0].starts_with("network,phase,setting,seed,step,layer,loss,penalty,"));
/// assert!(lines[1].starts_with("deep/untreated,trial,0,1,50,,0.75,0.0,,,"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn bytes(rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(KEYS.iter().chain(&NETWORK_FIGURES).chain(&LAYER_FIGURES))?;
    for row in rows {
        let id = &row.id;
        let keys = [
            id.network.clone(),
            phase_name(id.phase).to_owned(),
            id.setting.to_string(),
            id.seed.to_string(),
            row.step.to_string(),
            row.layer.map(|layer| layer.to_string()).unwrap_or_default(),
        ];
        let figures = row.columns().map(|value| value.map(|value| format!("{value:?}")).unwrap_or_default());
        writer.write_record(keys.into_iter().chain(figures))?;
    }
    writer.into_inner().map_err(|error| error.into_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::table::{rows, tests::runs};

    #[test]
    fn the_text_says_every_figure_exactly() {
        let rows = rows(&runs());
        let text = bytes(&rows).unwrap();
        let mut reader = csv::Reader::from_reader(&text[..]);
        assert_eq!(reader.headers().unwrap().len(), 21);
        assert_eq!(reader.headers().unwrap().get(5), Some("layer"));
        for (record, row) in reader.records().map(Result::unwrap).zip(&rows) {
            assert_eq!(record.get(0), Some(row.id.network.as_str()));
            assert_eq!(record.get(4).unwrap().parse(), Ok(row.step));
            let figures = record.iter().skip(6).map(|field| field.parse::<f64>().ok());
            assert!(figures.eq(row.columns()), "{record:?}");
        }
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1 + rows.len());
    }
}
