use std::fs;

use tempfile::TempDir;

use super::*;

const SIZES: Sizes = Sizes { train: 1000, validation: 1000, test: 1000 };

fn load_text(text: impl AsRef<[u8]>, label: &str) -> Result<Splits, String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, text).unwrap();
    let prefix = format!("{}: ", path.display());
    load(&path, label, SIZES, &mut Random::new(1))
        .map_err(|error| error.to_string().strip_prefix(&prefix).unwrap().into())
}

/// The labels of all parts beside the first input of each, unscaled and sorted.
fn rows(splits: &Splits) -> Vec<(i64, u32)> {
    let mut rows = Vec::new();
    for set in [&splits.train, &splits.validation, &splits.test] {
        let first = set.inputs().chunks_exact(set.features()).map(|sample| f64::from(sample[0]));
        let value = first.map(|x| (x * splits.scale.deviation + splits.scale.mean).round() as i64);
        rows.extend(value.zip(set.labels().iter().copied()));
    }
    rows.sort_unstable();
    rows
}

#[test]
fn rows_are_split_without_loss() {
    let text: String = (0..60).map(|i| format!("{i},{},{}\n", i % 3, 2 * i)).collect();
    let splits = load_text(format!("a,label,b\n{text}"), "label").unwrap();
    assert_eq!([splits.train.len(), splits.validation.len(), splits.test.len()], [40, 10, 10]);
    assert_eq!((splits.train.features(), splits.train.classes()), (2, 3));
    assert_eq!(rows(&splits), (0..60).map(|i| (i, i as u32 % 3)).collect::<Vec<_>>());
}

#[test]
fn integer_labels_are_ordered_by_value_and_texts_as_texts() {
    let integers = load_text("x,y\n1,10\n2,9\n3,-1\n4,10\n", "y").unwrap();
    assert_eq!(rows(&integers), [(1, 2), (2, 1), (3, 0), (4, 2)]);
    let texts = load_text("x,y\n1,10\n2,9\n3,\"cat, black\"\n4,10\n", "y").unwrap();
    assert_eq!(rows(&texts), [(1, 0), (2, 1), (3, 2), (4, 0)]);
}

#[test]
fn spaces_blank_lines_and_a_byte_order_mark_do_no_harm() {
    let plain = load_text("x,y\n1,a\n2,b\n3,b\n4,a\n", "y").unwrap();
    let spaced = load_text("\u{feff}x , y\r\n\r\n 1, a\r\n2 ,b \r\n\r\n3,b\r\n4,a", "y").unwrap();
    assert_eq!(rows(&plain), rows(&spaced));
}

#[test]
fn malformed_tables_are_refused() {
    for (text, expected) in [
        ("x,z\n1,2\n", "header: found `x`, `z`, allowed is a column `y` with the labels"),
        ("Y ,z\n1,2\n", "header: found `Y`, `z`, allowed is a column `y` with the labels; did you mean `Y`?"),
        ("", "header: found nothing, allowed is a column `y` with the labels"),
        ("y,x,y\n1,2,3\n", "header: found more than one column `y`, allowed is one with the labels"),
        ("y\n1\n2\n", "header: found only `y`, allowed is at least one other column"),
        ("x,y\n1,a\n2,b,c\n", "line 3: found 3 cells, allowed is 2, one per column of the header"),
        ("x,y\n1,a\n2\n", "line 3: found 1 cells, allowed is 2, one per column of the header"),
        ("x,y\n1,a\nNaN,b\n", "line 3, column `x`: found `NaN`, allowed is a finite number"),
        ("x,y\n1,a\n-inf,b\n", "line 3, column `x`: found `-inf`, allowed is a finite number"),
        ("x,y\n1,a\n1e39,b\n", "line 3, column `x`: found `1e39`, allowed is a finite number"),
        ("x,y\n1,a\n1.5.2,b\n", "line 3, column `x`: found `1.5.2`, allowed is a finite number"),
        (
            "x,y\r\n\r\n1,a\r\n\r\n,b\r\n",
            "line 5, column `x`: found an empty cell, allowed is a finite number",
        ),
        ("x,y\n\n1,a\n\n,b\n", "line 5, column `x`: found an empty cell, allowed is a finite number"),
        ("x,y\n1,a\n2, \n", "line 3, column `y`: found an empty cell, allowed is an integer or a text"),
        ("x,y\n1,a\n2,a\n", "column `y`: found 1 different labels, allowed is at least 2"),
        ("x,y\n", "column `y`: found 0 different labels, allowed is at least 2"),
    ] {
        assert_eq!(load_text(text, "y").unwrap_err(), expected, "{text:?}");
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_with_its_line() {
    let error = load_text(b"x,y\n1,a\n\n2,\xff\n", "y").unwrap_err();
    assert_eq!(error, "line 4: found bytes that are not UTF-8, allowed is UTF-8 text");
}

#[test]
fn a_missing_file_is_named() {
    let error = load(Path::new("no/such.csv"), "y", SIZES, &mut Random::new(1)).unwrap_err().to_string();
    assert!(error.starts_with("no/such.csv: cannot be read: "), "{error}");
}
