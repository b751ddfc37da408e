//! Server-sent events: the version of a page at once, and whenever it changes.
//!
//! A comment every few seconds finds out clients that have gone. Source: WHATWG, HTML, server-sent events.

use std::time::{Duration, Instant};

use http_body_util::channel::Channel;
use hyper::body::Bytes;

/// Time between two looks.
const PERIOD: Duration = Duration::from_secs(1);
/// Time after which something is sent whatever happens.
const SILENCE: Duration = Duration::from_secs(10);

/// A body that tells what `version` says; it ends where that says nothing, or with its reader.
pub(super) fn stream(version: impl Fn() -> Option<String> + Send + Sync + Clone + 'static) -> Channel<Bytes> {
    let (mut sender, body) = Channel::new(1);
    tokio::spawn(async move {
        let (mut told, mut spoken) = (String::new(), Instant::now());
        loop {
            let look = version.clone();
            let Ok(Some(now)) = tokio::task::spawn_blocking(look).await else { return };
            let text = if now != told {
                format!("retry: 2000\nevent: version\ndata: {now}\n\n")
            } else if spoken.elapsed() > SILENCE {
                ":\n\n".to_owned()
            } else {
                String::new()
            };
            told = now;
            if !text.is_empty() {
                spoken = Instant::now();
                if sender.send_data(Bytes::from(text)).await.is_err() {
                    return;
                }
            }
            tokio::time::sleep(PERIOD).await;
        }
    });
    body
}
