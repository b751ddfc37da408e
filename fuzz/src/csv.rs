//! The two readers of CSV on any bytes: tables of data, and the norms that `diagnose` judges. An error, or data that keep what they
//! promise and a diagnosis; no panic.

use std::fs;

use isobath::data::Source;
use isobath::diagnose::{judge, judge_networks, records};

use crate::folder::folder;
use crate::idx::{SIZES, check};

/// Reads the bytes as both kinds of table.
pub fn run(bytes: &[u8]) {
    let loaded = {
        let path = folder().join("t.csv");
        fs::write(&path, bytes).expect("the folder takes files");
        Source::Csv { path, label: "label".to_owned() }.load(&SIZES, 1)
    };
    match loaded {
        Ok(splits) => check(&splits),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match records::read(bytes) {
        Ok(records) => {
            assert!(records.windows(2).all(|pair| pair[0].step < pair[1].step));
            assert!(records.iter().all(|record| !record.layers.is_empty()));
            for record in &records {
                judge(record);
            }
            judge_networks(&records);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
