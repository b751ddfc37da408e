//! How a command ended.

use std::process::Output;

/// Fails unless a command ended with this code and every one of these words on standard error.
#[track_caller]
pub(crate) fn assert_ended(output: &Output, code: i32, words: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
    assert!(!message.contains("panicked"), "{message}");
}
