use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;

const SIZES: Sizes = Sizes { train: 1000, validation: 1000, test: 1000 };

fn header(magic: u32, numbers: &[u32]) -> Vec<u8> {
    [&[magic], numbers].concat().iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A folder of images of 2 x 3 pixels, sample i all of value i and of class i mod 4: 12 to train, 5 to test.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    for (part, count) in [("train", 12_u8), ("t10k", 5)] {
        let pixels: Vec<u8> = (0..count).flat_map(|i| [i; 6]).collect();
        let digits: Vec<u8> = (0..count).map(|i| i % 4).collect();
        write(&folder, &format!("{part}-images-idx3-ubyte"), &header(0x0803, &[count.into(), 2, 3]), &pixels);
        write(&folder, &format!("{part}-labels-idx1-ubyte"), &header(0x0801, &[count.into()]), &digits);
    }
    folder
}

fn write(folder: &TempDir, name: &str, header: &[u8], bytes: &[u8]) {
    fs::write(folder.path().join(name), [header, bytes].concat()).unwrap();
}

fn compress(folder: &TempDir, name: &str) -> Vec<u8> {
    let plain = folder.path().join(name);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&fs::read(&plain).unwrap()).unwrap();
    let bytes = encoder.finish().unwrap();
    fs::remove_file(plain).unwrap();
    fs::write(folder.path().join(format!("{name}.gz")), &bytes).unwrap();
    bytes
}

fn read(folder: &TempDir) -> Result<Splits, DataError> {
    load(folder.path(), SIZES, &mut Random::new(1))
}

/// The error's message without the folder.
fn message(folder: &TempDir) -> String {
    let message = read(folder).unwrap_err().to_string();
    let prefix = folder.path().display().to_string();
    message.strip_prefix(&prefix).unwrap().trim_start_matches(['/', '\\']).into()
}

/// The values of the samples, each of which is uniform, without the scale.
fn values(splits: &Splits, set: &Dataset) -> Vec<u32> {
    let unscaled = |&x: &f32| (f64::from(x) * splits.scale.deviation + splits.scale.mean).round() as u32;
    let images = set.inputs().chunks_exact(6);
    images
        .inspect(|image| assert!(image.iter().all(|x| *x == image[0])))
        .map(|image| unscaled(&image[0]))
        .collect()
}

#[test]
fn every_sample_arrives_once_with_its_label() {
    let splits = read(&folder()).unwrap();
    let (train, validation) = (values(&splits, &splits.train), values(&splits, &splits.validation));
    assert_eq!((train.len(), validation.len()), (10, 2));
    let mut all = [train.clone(), validation].concat();
    all.sort_unstable();
    assert_eq!(all, (0..12).collect::<Vec<u32>>());
    assert_eq!(splits.train.labels(), train.iter().map(|value| value % 4).collect::<Vec<u32>>());
    let test = values(&splits, &splits.test);
    assert_eq!(splits.test.labels(), test.iter().map(|value| value % 4).collect::<Vec<u32>>());
    assert_eq!((splits.test.len(), splits.test.form(), splits.test.classes()), (5, Form::Image(2, 3), 4));
}

#[test]
fn fewer_samples_can_be_asked_for() {
    let sizes = Sizes { train: 4, validation: 3, test: 2 };
    let splits = load(folder().path(), sizes, &mut Random::new(1)).unwrap();
    assert_eq!([splits.train.len(), splits.validation.len(), splits.test.len()], [4, 3, 2]);
}

#[test]
fn compressed_files_are_read_alike() {
    let folder = folder();
    let plain = read(&folder).unwrap();
    compress(&folder, "train-images-idx3-ubyte");
    compress(&folder, "t10k-labels-idx1-ubyte");
    assert_eq!(read(&folder).unwrap(), plain);
}

#[test]
fn damaged_compressed_files_are_refused() {
    let folder = folder();
    let name = "train-images-idx3-ubyte";
    let bytes = compress(&folder, name);
    fs::write(folder.path().join(format!("{name}.gz")), &bytes[..bytes.len() - 9]).unwrap();
    assert!(message(&folder).starts_with("train-images-idx3-ubyte.gz: cannot be read: "));
    fs::write(folder.path().join(format!("{name}.gz")), b"plain text, no gzip").unwrap();
    assert_eq!(message(&folder), "train-images-idx3-ubyte.gz: cannot be read: invalid gzip header");
}

#[test]
fn a_missing_file_is_named() {
    let folder = folder();
    fs::remove_file(folder.path().join("t10k-images-idx3-ubyte")).unwrap();
    assert_eq!(
        message(&folder),
        ": files: found no t10k-images-idx3-ubyte, allowed is t10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz"
    );
}

#[test]
fn malformed_images_are_refused() {
    let pixels = [7; 72];
    for (header, pixels, expected) in [
        (header(0x0801, &[12, 2, 3]), &pixels[..], "magic number: found 0x00000801, allowed is 0x00000803"),
        (
            header(0x0803, &[12, 2]),
            &[],
            "columns: found the end of the file, allowed is 4 bytes of the header",
        ),
        (vec![0, 0, 8], &[], "magic number: found the end of the file, allowed is 4 bytes of the header"),
        (header(0x0803, &[12, 0, 3]), &[], "rows: found 0, allowed is at least 1"),
        (header(0x0803, &[0, 2, 3]), &[], "image count: found 0, allowed is at least 1"),
        (
            header(0x0803, &[12, 2, 3]),
            &pixels[..71],
            "bytes after the header: found 71, then the end, allowed is 72, as the header says",
        ),
        (
            header(0x0803, &[11, 2, 3]),
            &pixels,
            "bytes after the header: found more, allowed is 66, as the header says",
        ),
        (
            header(0x0803, &[u32::MAX; 3]),
            &pixels,
            "image count x rows x columns: found 4294967295 x 4294967295 x 4294967295, allowed is at most 1073741824 bytes",
        ),
        (
            header(0x0803, &[1 << 28, 2, 2]),
            &pixels,
            "bytes after the header: found 72, then the end, allowed is 1073741824, as the header says",
        ),
    ] {
        let folder = folder();
        write(&folder, "train-images-idx3-ubyte", &header, pixels);
        assert_eq!(message(&folder), format!("train-images-idx3-ubyte: {expected}"));
    }
}

#[test]
fn labels_must_match_their_images() {
    let folder = folder();
    write(&folder, "t10k-labels-idx1-ubyte", &header(0x0801, &[6]), &[0; 6]);
    let images = folder.path().join("t10k-images-idx3-ubyte");
    assert_eq!(
        message(&folder),
        format!(
            "t10k-labels-idx1-ubyte: label count: found 6, allowed is 5, the number of images in {}",
            images.display()
        )
    );
}

#[test]
fn a_test_label_that_training_never_saw_is_refused() {
    let folder = folder();
    write(&folder, "t10k-labels-idx1-ubyte", &header(0x0801, &[5]), &[0, 1, 9, 3, 0]);
    assert_eq!(
        message(&folder),
        "t10k-labels-idx1-ubyte: labels: found label 9, allowed is 0 to 3, the largest training label"
    );
}

#[test]
fn test_images_must_have_the_training_size() {
    let folder = folder();
    write(&folder, "t10k-images-idx3-ubyte", &header(0x0803, &[5, 3, 2]), &[0; 30]);
    assert_eq!(
        message(&folder),
        "t10k-images-idx3-ubyte: image size: found 3 x 2, allowed is 2 x 3 as in the training part"
    );
}
