//! A study that is killed or told to stop, at any moment, and started again ends with the results of an undisturbed one.
//!
//! `ISOBATH_KILLS` sets how often the study is killed, 20 times by default.
#![cfg(unix)]

#[path = "common/ended.rs"]
mod ended;
#[path = "common/kept.rs"]
mod kept;
#[path = "common/running.rs"]
mod running;
#[path = "common/timeless.rs"]
mod timeless;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ended::assert_ended;
use isobath::random::Random;
use kept::{assert_finished, runs_kept, wait_for_a_run};
use running::{run, start, write_study};
use tempfile::TempDir;
use timeless::timeless_summary;

/// Steps of a run of the study that is killed.
const STEPS: usize = 150;

#[test]
fn a_study_killed_at_any_moment_goes_on_to_the_same_results() {
    let kills: usize = std::env::var("ISOBATH_KILLS").map_or(20, |count| count.parse().expect("a number"));
    let folder = TempDir::new().unwrap();
    let file = write_study(folder.path(), STEPS);
    let undisturbed = folder.path().join("undisturbed");
    let begun = Instant::now();
    assert_ended(&run(&file, &undisturbed), 0, &[]);
    let duration = begun.elapsed();
    let expected = timeless_summary(&undisturbed);

    let mut random = Random::new(1);
    let (mut killed, mut finished) = (0, 0);
    while killed < kills || finished == 0 {
        let out = folder.path().join(format!("killed{finished}"));
        let mut kept = 0;
        loop {
            let mut study = start(&file, &out);
            if killed < kills {
                // From before its first line to after its last one, however far it has come.
                let wait = f64::from(random.uniform_in(0.0, 0.6));
                thread::sleep(duration.mul_f64(wait));
                // Fails where the study has ended.
                let _ = study.kill();
            }
            let output = study.wait_with_output().unwrap();
            let now = runs_kept(&out);
            assert!(now >= kept, "{kept} runs were kept, {now} are left");
            kept = now;
            if output.status.code().is_some() {
                assert_ended(&output, 0, &[]);
                break;
            }
            killed += 1;
        }
        assert_finished(&out, &expected);
        finished += 1;
    }
    println!("killed {killed} times, finished {finished} times");
}

/// Sends a signal by name.
fn signal(study: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &study.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_study_told_to_stop_says_how_to_go_on_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let file = write_study(folder.path(), 10 * STEPS);
    let undisturbed = folder.path().join("undisturbed");
    assert_ended(&run(&file, &undisturbed), 0, &[]);
    let expected = timeless_summary(&undisturbed);
    for name in ["INT", "TERM"] {
        let out = folder.path().join(name);
        let mut study = start(&file, &out);
        wait_for_a_run(&mut study, &out);
        let kept = runs_kept(&out);
        signal(&study, name);
        assert_ended(
            &study.wait_with_output().unwrap(),
            130,
            &["interrupted", "the same command goes on where it stopped"],
        );
        assert!(runs_kept(&out) >= kept);
        assert!(!out.join("summary.json").exists(), "an interrupted study is not finished");
        let text = fs::read_to_string(out.join("records.jsonl")).unwrap();
        assert!(text.ends_with('\n'), "a clean stop leaves whole lines");
        assert_ended(&run(&file, &out), 0, &[]);
        assert_finished(&out, &expected);
    }
}

/// Starts all built-in studies.
fn start_all(out: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobath"));
    command.args(["study", "--full", "--threads", "2", "--out"]).arg(out);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Ends a study by a signal as soon as it has begun a folder. One that does not stop in a minute is killed.
fn stop_in(mut study: Child, out: &Path) -> Output {
    let begun = Instant::now();
    let expect = |study: &mut Child, what: &str| {
        if begun.elapsed() > Duration::from_secs(60) {
            study.kill().unwrap();
            panic!("{what} after a minute");
        }
        thread::sleep(Duration::from_millis(10));
    };
    while fs::metadata(out.join("records.jsonl")).map_or(0, |found| found.len()) == 0 {
        expect(&mut study, "the study has not begun");
    }
    signal(&study, "INT");
    while study.try_wait().unwrap().is_none() {
        expect(&mut study, "the study has not stopped");
    }
    study.wait_with_output().unwrap()
}

/// Of all studies, the later ones stop as the first one does.
#[test]
fn all_studies_stop_at_the_first_signal() {
    let folder = TempDir::new().unwrap();
    let all = folder.path().join("all");
    let [first, second] = ["remedies", "depth"].map(|name| all.join(name));
    assert_ended(&stop_in(start_all(&all), &first), 130, &["interrupted"]);
    // The first one takes minutes; a summary, whichever study it is of, says that it is finished.
    let file = write_study(folder.path(), 12);
    let small = folder.path().join("small");
    assert_ended(&run(&file, &small), 0, &[]);
    fs::copy(small.join("summary.json"), first.join("summary.json")).unwrap();
    assert_ended(&stop_in(start_all(&all), &second), 130, &["interrupted"]);
}

#[test]
fn a_record_that_is_corrupt_is_refused_and_not_touched() {
    let folder = TempDir::new().unwrap();
    let file = write_study(folder.path(), 12);
    let out = folder.path().join("out");
    assert_ended(&run(&file, &out), 0, &[]);
    let records = out.join("records.jsonl");
    let whole = fs::read(&records).unwrap();
    let lines: Vec<usize> = (0..whole.len()).filter(|i| whole[*i] == b'\n').collect();
    // A brace in the header, in the middle, and in the last line, which is whole and therefore not torn.
    for line in [0, lines.len() / 2, lines.len() - 1] {
        let mut corrupt = whole.clone();
        corrupt[lines[line] - 1] = b'#';
        fs::write(&records, &corrupt).unwrap();
        assert_ended(&run(&file, &out), 2, &["records.jsonl holds", "--out", "--force"]);
        assert!(fs::read(&records).unwrap() == corrupt, "a refused file must not be touched");
    }
}
