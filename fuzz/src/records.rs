//! What a study left in its folder, damaged in any way: `records.jsonl` and `summary.json`. An error, or figures that can be judged;
//! what is written back reads the same; a study that goes on cuts off a torn tail and nothing else. No panic.

use std::fs;

use isobath::diagnose::{folder, judge_networks};
use isobath::report;
use isobath::study::store::{Header, Store, trials};
use isobath::study::summary::{SCHEMA_VERSION, Summary};

/// Reads the bytes as both files.
pub fn run(bytes: &[u8]) {
    let folder = crate::folder::folder();
    let path = folder.join("records.jsonl");
    fs::write(&path, bytes).expect("the folder takes files");
    match (trials(&folder), folder::networks(&folder)) {
        (Ok(_), Ok(networks)) => {
            for (_, records) in networks {
                judge_networks(&records);
            }
        }
        (Err(error), Err(_)) => assert!(!error.to_string().is_empty()),
        (trials, networks) => panic!("{} trials read, networks: {networks:?}", trials.is_ok()),
    }
    match Store::open(&folder, &header(), false) {
        Ok(store) => {
            let kept = fs::read(&path).expect("it is there");
            drop(store);
            if !bytes.is_empty() {
                assert!(bytes.starts_with(&kept), "more was cut off than the tail");
                assert_eq!(kept.last(), Some(&b'\n'));
            }
            let again = Store::open(&folder, &header(), false).expect("what was opened opens again");
            drop(again);
            assert_eq!(kept, fs::read(&path).expect("it is there"));
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_eq!(bytes, fs::read(&path).expect("it is there"), "records that were refused are changed");
        }
    }
    drop(folder);
    if let Ok(summary) = serde_json::from_slice::<Summary>(bytes) {
        let text = serde_json::to_vec(&summary).expect("a summary can be written");
        let again: Summary = serde_json::from_slice(&text).expect("and read again");
        assert_eq!(summary, again);
        assert!(report::html(&summary).ends_with("</html>\n"));
    }
}

/// The header of the corpus's study.
fn header() -> Header {
    Header {
        schema_version: SCHEMA_VERSION,
        study: "s".to_owned(),
        seed: 1,
        fingerprint: "0".to_owned(),
        numerics_version: 1,
        version: String::new(),
        level: String::new(),
        cpu: String::new(),
    }
}
