//! From a request to its answer: what is refused, and which page is meant.
//!
//! `/` is the index, `/run/PATH` a run; `/content...` what stands in the page, `/events...` when it changes. PATH is compared
//! with the names of the runs that were found and is never opened.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::channel::Channel;
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use tokio::sync::OwnedSemaphorePermit;

use super::runs::{self, Run};
use super::watched::{self, Status, Watched};
use super::{PATH, events, host, pages};
use crate::hash::Hash;
use crate::report::page;

/// The body of an answer: a text, or events.
type Body = Either<Full<Bytes>, Channel<Bytes>>;

/// What is served, and what was read of it.
#[derive(Debug)]
pub(super) struct Site {
    root: PathBuf,
    bound: IpAddr,
    watched: Mutex<HashMap<String, Arc<Mutex<Watched>>>>,
}

/// Which page.
#[derive(Clone)]
enum Place {
    Index,
    Run(Run),
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What a panic left there is looked at anew.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Site {
    pub(super) fn new(root: PathBuf, bound: IpAddr) -> Self {
        Self { root, bound, watched: Mutex::default() }
    }

    fn find(&self, name: &str) -> Option<Place> {
        runs::find(&self.root).into_iter().find(|run| run.name == name).map(Place::Run)
    }

    fn watched(&self, run: &Run) -> Arc<Mutex<Watched>> {
        locked(&self.watched).entry(run.name.clone()).or_default().clone()
    }

    /// Changes whenever the page does; none where there is no such run any more.
    fn version(&self, place: &Place) -> Option<String> {
        match place {
            Place::Run(run) => {
                runs::is_file(&run.folder.join("records.jsonl")).then(|| watched::version(run))
            }
            Place::Index => {
                let mut hash = Hash::new();
                for run in runs::find(&self.root) {
                    hash.bytes(run.name.as_bytes());
                    hash.bytes(watched::version(&run).as_bytes());
                }
                Some(format!("{:016x}", hash.finish()))
            }
        }
    }

    /// Title, version and content of a page.
    fn page(&self, place: &Place) -> (String, String, String) {
        match place {
            Place::Index => {
                let version = self.version(place).unwrap_or_default();
                let found = runs::find(&self.root);
                locked(&self.watched).retain(|name, _| found.iter().any(|run| run.name == *name));
                let status = |run: Run| {
                    let watched = self.watched(&run);
                    let mut watched = locked(&watched);
                    let status = watched.look(&run).1;
                    let figure = watched.summary().and_then(page::first_figure);
                    (run, status, figure)
                };
                let all: Vec<(Run, Status, Option<String>)> = found.into_iter().map(status).collect();
                let folder = self.root.file_name().map_or_else(|| "/".into(), |name| name.to_string_lossy());
                ("Isobath: runs".to_owned(), version, pages::index(&folder, &all))
            }
            Place::Run(run) => {
                let watched = self.watched(run);
                let mut watched = locked(&watched);
                let (version, status) = watched.look(run);
                let content = match watched.content.take() {
                    Some(content) => content,
                    None => pages::report(run, &status, watched.summary()),
                };
                watched.content = Some(content.clone());
                (watched.summary().map_or_else(|| pages::name_of(run), page::title), version, content)
            }
        }
    }
}

/// One connection's look at the site. All work for it holds the visit, and the visit a place among the connections, so that a
/// client that asks and goes leaves no more work behind than there are places.
#[derive(Debug)]
pub(super) struct Visit {
    site: Arc<Site>,
    _place: OwnedSemaphorePermit,
}

impl Visit {
    pub(super) fn new(site: Arc<Site>, place: OwnedSemaphorePermit) -> Self {
        Self { site, _place: place }
    }
}

impl Deref for Visit {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

/// The answer to a request.
pub(super) async fn answer(
    visit: Arc<Visit>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let mut response = match checked(&visit, &request) {
        Ok(()) => found(visit, request.uri().path()).await,
        Err((status, message)) => plain(status, message),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    Ok(response)
}

/// What is wrong with a request, before anything is looked up.
fn checked(site: &Site, request: &Request<Incoming>) -> Result<(), (StatusCode, &'static str)> {
    let hosts: Vec<_> = request.headers().get_all(header::HOST).iter().collect();
    let [host] = hosts[..] else { return Err((StatusCode::BAD_REQUEST, "one Host is needed")) };
    if !host.to_str().is_ok_and(|host| host::is_allowed(host, site.bound)) {
        return Err((StatusCode::FORBIDDEN, "this Host is not served; ask for localhost or the address"));
    }
    // Only a proxy is asked for other sites.
    if request.uri().authority().is_some() {
        return Err((StatusCode::BAD_REQUEST, "this is no proxy"));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err((StatusCode::METHOD_NOT_ALLOWED, "allowed are GET and HEAD"));
    }
    if request.uri().path_and_query().is_some_and(|path| path.as_str().len() > PATH) {
        return Err((StatusCode::URI_TOO_LONG, "the address is too long"));
    }
    Ok(())
}

/// The answer to a request that may be answered.
async fn found(site: Arc<Visit>, path: &str) -> Response<Body> {
    let (kind, name) = match path {
        "/" => ("run", None),
        "/content" | "/events" => (&path[1..], None),
        _ => match path[1..].split_once('/') {
            Some((kind @ ("run" | "content" | "events"), name)) => (kind, Some(name)),
            _ => return plain(StatusCode::NOT_FOUND, "there is no such page"),
        },
    };
    let name = match name.map(|name| percent_decode_str(name).decode_utf8()) {
        Some(Ok(name)) => Some(name.into_owned()),
        Some(Err(_)) => return plain(StatusCode::NOT_FOUND, "there is no such run"),
        None => None,
    };
    let place = {
        let (site, name) = (site.clone(), name.clone());
        let find = move || name.map_or(Some(Place::Index), |name| site.find(&name));
        tokio::task::spawn_blocking(find).await
    };
    let Ok(Some(place)) = place else { return plain(StatusCode::NOT_FOUND, "there is no such run") };
    if kind == "events" {
        let body = events::stream(move || site.version(&place));
        return with_type(Response::new(Either::Right(body)), "text/event-stream");
    }
    let Ok((title, version, content)) = tokio::task::spawn_blocking(move || site.page(&place)).await else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be made");
    };
    let whole = kind == "run";
    let html = if whole {
        let path = name.map_or_else(String::new, |name| format!("/{}", pages::link(&name)));
        pages::whole(&title, &path, &version, &content)
    } else {
        content
    };
    let mut response = with_type(text(html), "text/html; charset=utf-8");
    let headers = response.headers_mut();
    if let Ok(version) = HeaderValue::from_str(&version) {
        headers.insert("x-version", version);
    }
    if let (true, Ok(policy)) = (whole, HeaderValue::from_str(&pages::page_policy())) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn text(text: impl Into<Bytes>) -> Response<Body> {
    Response::new(Either::Left(Full::new(text.into())))
}

fn with_type(mut response: Response<Body>, kind: &'static str) -> Response<Body> {
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A refusal in words.
fn plain(status: StatusCode, message: &'static str) -> Response<Body> {
    let mut response = with_type(text(format!("{message}\n")), "text/plain; charset=utf-8");
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::sync::Semaphore;

    use super::*;

    /// Who asks and goes cannot make more work than those who stay.
    #[test]
    fn a_place_is_taken_until_the_work_for_its_client_has_ended() {
        let places = Arc::new(Semaphore::new(1));
        let place = places.clone().try_acquire_owned().unwrap();
        let site = Arc::new(Site::new(PathBuf::from("runs"), Ipv4Addr::LOCALHOST.into()));
        let visit = Arc::new(Visit::new(site, place));
        let work = visit.clone();
        drop(visit);
        assert_eq!(places.available_permits(), 0);
        drop(work);
        assert_eq!(places.available_permits(), 1);
    }
}
