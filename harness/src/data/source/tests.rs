use super::*;
use crate::random::tests::hash;

const SIZES: Sizes = Sizes { train: 500, validation: 100, test: 200 };
const GENERATED: [Source; 5] =
    [Source::Glyphs, Source::Spirals, Source::TwoSpirals, Source::Teacher, Source::Gaussian];

fn sets(splits: &Splits) -> [&Dataset; 3] {
    [&splits.train, &splits.validation, &splits.test]
}

fn counts(set: &Dataset) -> Vec<usize> {
    (0..set.classes())
        .map(|class| set.labels().iter().filter(|&&label| label as usize == class).count())
        .collect()
}

#[test]
fn generated_data_have_these_bits() {
    for (source, expected) in GENERATED.into_iter().zip([
        0x3b48_b55a_c5a4_f471,
        0x4c82_ca12_5af4_d835,
        0x6bca_7b07_fc9f_423a,
        0xdb89_51a5_befc_e261,
        0xd2f6_411f_b9a0_420d,
    ]) {
        let splits = source.load(&SIZES, 1).unwrap();
        let inputs = sets(&splits).into_iter().flat_map(|set| set.inputs()).map(|x| x.to_bits());
        let labels = sets(&splits).into_iter().flat_map(|set| set.labels()).copied();
        let found = hash(inputs.chain(labels));
        assert_eq!(found, expected, "{source}: {found:#018x}");
    }
}

#[test]
fn sizes_are_as_asked_and_inputs_are_standardised() {
    for source in GENERATED {
        let splits = source.load(&SIZES, 2).unwrap();
        assert_eq!([splits.train.len(), splits.validation.len(), splits.test.len()], [500, 100, 200]);
        for (set, tolerance) in [(&splits.train, 1.0e-5), (&splits.validation, 0.1), (&splits.test, 0.1)] {
            let mean_of = |power: i32| {
                set.inputs().iter().map(|&x| f64::from(x).powi(power)).sum::<f64>()
                    / set.inputs().len() as f64
            };
            assert!(mean_of(1).abs() < tolerance, "{source}: mean {}", mean_of(1));
            assert!((mean_of(2) - 1.0).abs() < tolerance, "{source}: mean square {}", mean_of(2));
        }
    }
}

#[test]
fn seeds_and_splits_differ() {
    for source in GENERATED {
        let splits = source.load(&SIZES, 3).unwrap();
        let other = source.load(&SIZES, 4).unwrap();
        let first = |set: &Dataset| set.inputs()[..set.features()].to_vec();
        assert_ne!(first(&splits.train), first(&other.train));
        assert_ne!(first(&splits.train), first(&splits.validation));
        assert_ne!(first(&splits.validation), first(&splits.test));
    }
}

#[test]
fn one_splits_size_leaves_the_others_alone() {
    for source in GENERATED {
        let small = source.load(&SIZES, 5).unwrap();
        let large = source.load(&Sizes { validation: 0, test: 900, ..SIZES }, 5).unwrap();
        assert_eq!(small.train, large.train);
        assert_eq!(small.test.inputs(), &large.test.inputs()[..small.test.inputs().len()]);
        assert_eq!(small.test.labels(), &large.test.labels()[..200]);
    }
}

#[test]
fn classes_are_balanced() {
    for source in [Source::Glyphs, Source::Spirals] {
        let splits = source.load(&SIZES, 6).unwrap();
        let classes = splits.train.classes();
        assert_eq!(counts(&splits.train), vec![500 / classes; classes]);
        assert_eq!(counts(&splits.validation), vec![100 / classes; classes]);
    }
    for source in [Source::Teacher, Source::Gaussian] {
        let counts = counts(&source.load(&Sizes { train: 4000, ..SIZES }, 6).unwrap().train);
        assert!(counts.iter().all(|count| (150..900).contains(count)), "{source}: {counts:?}");
    }
}

#[test]
fn glyphs_are_images() {
    let splits = Source::Glyphs.load(&SIZES, 7).unwrap();
    assert_eq!(splits.test.form(), Form::Image(12, 12));
    assert_eq!((splits.test.features(), splits.test.classes(), splits.test.name()), (144, 10, "glyphs"));
}

#[test]
fn too_many_samples_are_an_error_and_none_to_train_on_too() {
    let load = |train| Source::Glyphs.load(&Sizes { train, ..SIZES }, 1).unwrap_err().to_string();
    let most = usize::MAX / 100;
    let all = most + SIZES.validation + SIZES.test;
    assert_eq!(load(most), format!("{all} samples of 144 numbers do not fit into memory; ask for fewer"));
    assert!(load(0).starts_with("glyphs: training inputs: found nothing"));
}

#[test]
fn names_are_read_and_written() {
    let csv = |path: &str, label: &str| Source::Csv { path: path.into(), label: label.into() };
    for (text, source) in [
        ("glyphs", Source::Glyphs),
        ("spirals", Source::Spirals),
        ("two-spirals", Source::TwoSpirals),
        ("teacher", Source::Teacher),
        ("gaussian", Source::Gaussian),
        ("adding:50", Source::Adding(50)),
        ("copy:20", Source::Copy(20)),
        ("recall:0", Source::Recall(0)),
        ("idx:a:b/c", Source::Idx("a:b/c".into())),
        ("csv:a/b.csv", csv("a/b.csv", "label")),
        ("csv:a/b.csv:kind of thing", csv("a/b.csv", "kind of thing")),
        (r"csv:C:\b.csv", csv(r"C:\b.csv", "label")),
        (r"csv:C:\b.csv:y", csv(r"C:\b.csv", "y")),
        ("csv:a:b:label", csv("a:b", "label")),
    ] {
        assert_eq!(text.parse::<Source>().unwrap(), source);
        assert_eq!(source.to_string(), text);
    }
}

#[test]
fn unknown_names_are_refused() {
    let meant = |text| if matches!(text, "glyph" | "Glyphs") { "; did you mean `glyphs`?" } else { "" };
    for text in ["", "glyph", "glyphs:3", "Glyphs", "idx", "idx:", "csv", "csv:", "csv::y", "csv:f:"] {
        assert_eq!(
            text.parse::<Source>().unwrap_err().to_string(),
            format!(
                "unknown data source `{text}`; allowed are glyphs, spirals, two-spirals, teacher, gaussian, \
                 adding:STEPS, copy:BLANKS, recall:BLANKS, idx:DIR, csv:FILE, csv:FILE:LABEL{}",
                meant(text)
            )
        );
    }
}

#[test]
fn sequences_need_a_length() {
    for (text, least) in [
        ("adding:", 2),
        ("adding:1", 2),
        ("adding:-3", 2),
        ("adding:fifty", 2),
        ("copy:0", 1),
        ("copy:100001", 1),
        ("recall:1.5", 0),
        ("recall:99999999999999999999", 0),
    ] {
        let message = text.parse::<Source>().unwrap_err().to_string();
        let expected =
            format!("data source `{text}`: the number of steps after the colon must be {least} to 100000");
        assert_eq!(message, expected);
    }
    assert!("adding".parse::<Source>().unwrap_err().to_string().contains("adding:STEPS"));
}

#[test]
fn sequences_have_their_form_and_are_left_as_they_are_made() {
    let sequence = |steps, features, answers| Form::Sequence { steps, features, answers };
    for (source, form, target, least, most) in [
        (Source::Adding(9), sequence(9, 2, 1), Target::Number, 0.0, 1.0),
        (Source::Copy(4), sequence(14, 9, 5), Target::Classes(8), 0.0, 1.0),
        (Source::Recall(7), sequence(19, 12, 1), Target::Classes(10), -1.0, 2.0),
    ] {
        let splits = source.load(&SIZES, 8).unwrap();
        assert_eq!([splits.train.len(), splits.validation.len(), splits.test.len()], [500, 100, 200]);
        for set in sets(&splits) {
            assert_eq!((set.form(), set.target()), (form, target), "{source}");
            assert_eq!(set.inputs().len(), set.len() * form.features());
            assert_eq!(set.labels().len(), set.len() * source.answers());
            assert!(set.inputs().iter().all(|x| (least..=most).contains(x)) && set.inputs().contains(&0.0));
        }
        let other = source.load(&SIZES, 9).unwrap();
        assert_ne!(splits.train, other.train);
        assert_ne!(splits.train.inputs()[..18], splits.test.inputs()[..18]);
        let more = source.load(&Sizes { test: 300, ..SIZES }, 8).unwrap();
        assert_eq!((&splits.train, &splits.validation), (&more.train, &more.validation));
        assert_eq!(splits.test.inputs(), &more.test.inputs()[..splits.test.inputs().len()]);
    }
    let none = Source::Adding(9).load(&Sizes { train: 0, ..SIZES }, 1).unwrap_err().to_string();
    assert_eq!(none, "adding:9: training samples: found none, allowed is at least 1");
}
