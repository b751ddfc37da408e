//! Tables of norms: what is read, and what is refused with which words.

use super::*;

const GOOD: &str = "layer,step,x,delta,gw,w,note\n2,0,1,100,1,4,a\n1,0,10,0.1,,4,b\n0,0,,1e-30,,,\n\
                    1,7,nan,inf,0,4,\n2,7,1,1,1,1,\n";

#[test]
fn reads_rows_in_any_order() {
    let records = read(GOOD.as_bytes()).unwrap();
    assert_eq!(records.iter().map(|record| record.step).collect::<Vec<_>>(), [0, 7]);
    assert_eq!(records[0].input_delta, Norm::Log10(-30.0));
    assert_eq!(
        records[0].layers[0],
        LayerRecord {
            x: Norm::Log10(1.0),
            delta: Norm::Log10(-1.0),
            gw: Norm::Missing,
            w: Norm::new(4.0).unwrap(),
            saturated: None,
            rank: None,
            units: None,
        }
    );
    assert_eq!(records[0].layers[1].delta.log10(), Some(2.0));
    let first = records[1].layers[0];
    assert_eq!((first.x, first.delta, first.gw), (Norm::NotFinite, Norm::NotFinite, Norm::Zero));
    assert_eq!(records[1].input_delta, Norm::Missing);
}

#[test]
fn optional_columns_are_read_where_they_are() {
    let table = "step,layer,x,delta,gw,w,rank,saturated,correlation\n0,0,,1,,,30,,\n0,1,1,1,1,1,8.5,0.25,-0.5\n\
                 0,2,1,1,1,1,,,0.75\n";
    let record = &read(table.as_bytes()).unwrap()[0];
    assert_eq!((record.input_rank, record.correlation), (Some(30.0), Some(-0.5)));
    let layer = |l: usize| (record.layers[l].saturated, record.layers[l].rank);
    assert_eq!((layer(0), layer(1)), ((Some(0.25), Some(8.5)), (None, None)));
    for (column, value) in
        [("rank", "-1"), ("saturated", "1.5"), ("correlation", "2"), ("rank", "nan"), ("units", "0")]
    {
        let table = format!("step,layer,x,delta,gw,w,{column}\n0,1,1,1,1,1,{value}\n");
        let message = read(table.as_bytes()).unwrap_err().to_string();
        assert!(message.contains(&format!("column {column}: `{value}`")), "{message}");
    }
}

#[test]
fn the_mean_of_networks_by_hand() {
    let network = |delta: f64, rank: f64| Record {
        layers: vec![LayerRecord {
            delta: Norm::new(delta).unwrap(),
            rank: Some(rank),
            ..Default::default()
        }],
        ..Record::default()
    };
    let mean = Record::mean(&[network(100.0, 2.0), network(1.0, 4.0), network(0.0, 6.0)]).unwrap();
    assert_eq!((mean.layers[0].delta, mean.layers[0].rank), (Norm::Log10(1.0), Some(4.0)));
    assert_eq!(mean.layers[0].x, Norm::Missing);
    let mean = Record::mean(&[network(1.0, 1.0), network(0.0, 1.0)]).unwrap();
    assert_eq!(mean.layers[0].delta, Norm::Zero);
    assert_eq!(Record::mean(&[]), None);
}

#[test]
fn says_what_is_wrong_and_where() {
    let header = "step,layer,x,delta,gw,w\n";
    for (text, words) in [
        ("step,layer,x,delta,gw\n0,1,1,1,1\n".to_owned(), "no column `w`"),
        (header.to_owned(), "no rows"),
        (format!("{header}0,0,,1,,\n"), "no rows"),
        (format!("{header}0,1,1,1,1,1\n0,2,1,-1,1,1\n"), "line 3, column delta: `-1`"),
        (format!("{header}0,1,one,1,1,1\n"), "line 2, column x: `one`"),
        (format!("{header}-1,1,1,1,1,1\n"), "column step"),
        (format!("{header}0,1.5,1,1,1,1\n"), "column layer"),
        (format!("{header}0,9000000,1,1,1,1\n"), "0 to 1000000"),
        (format!("{header}0,1,1,1,1,1\n0,1,1,1,1,1\n"), "line 3: layer 1 of step 0 is there twice"),
        (format!("{header}0,1,1,1,1,1\n0,3,1,1,1,1\n"), "no layer 2"),
        (format!("{header}0,1,1,1,1\n"), "fields"),
    ] {
        let message = read(text.as_bytes()).unwrap_err().to_string();
        assert!(message.contains(words), "{text}: {message}");
    }
}
