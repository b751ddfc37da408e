//! Leaving levels out of the tests: said aloud, past the test runner, and refused where nothing would be left.

use std::process::{Command, Output};

use isobath_kernels::Level;
use isobath_tests::levels;

/// What the test below prints, run on the level of this name alone, or on all.
fn runs_on(name: Option<&str>) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "all_levels_are_those_of_the_cpu_or_the_one_named"]).env_remove(levels::ONLY);
    if let Some(name) = name {
        command.env(levels::ONLY, name);
    }
    command.output().unwrap()
}

#[test]
fn all_levels_are_those_of_the_cpu_or_the_one_named() {
    let names = |levels: &mut dyn Iterator<Item = Level>| levels.map(Level::name).collect::<Vec<_>>();
    let expected = std::env::var(levels::ONLY).map_or_else(
        |_| names(&mut Level::available()),
        |name| names(&mut Level::from_name(&name).into_iter()),
    );
    assert_eq!(names(&mut levels::all().into_iter()), expected);
}

#[test]
fn a_level_alone_is_said_although_the_test_passes() {
    for level in Level::available() {
        let output = runs_on(Some(level.name()));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{}: {said}", level.name());
        let only = format!("NOT A FULL TEST: ISOBATH_ONLY_LEVEL={} leaves out ", level.name());
        let (_, left_out) = said.split_once(&only).unwrap_or_else(|| panic!("{only} is not in {said}"));
        let others = Level::available().map(Level::name).filter(|name| *name != level.name());
        assert_eq!(left_out.trim_end(), others.collect::<Vec<_>>().join(", "));
    }
    let output = runs_on(None);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_level_that_the_cpu_lacks_fails() {
    for name in ["avx1024", "", "AVX2"] {
        let output = runs_on(Some(name));
        let said = String::from_utf8(output.stdout).unwrap();
        let expected = format!("ISOBATH_ONLY_LEVEL={name}: this CPU has the levels scalar, portable");
        assert!(!output.status.success() && said.contains(&expected), "{said}");
    }
}
