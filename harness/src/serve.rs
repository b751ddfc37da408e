//! Run folders in the browser, while their studies run: an index of all below a folder, and for each its report.
//!
//! Nothing is locked and nothing written. The server answers GET and HEAD alone, for pages that it makes itself; a path
//! names one of the run folders that a search below the folder has found, so no other file can be asked for. Who may ask:
//! by default this machine alone, under a name that is an address or `localhost` (a page from elsewhere whose name was
//! made to lead here is refused). What one client can take up is limited, see the constants.
//!
//! Pages are told of new records by server-sent events and fetch their content again. Cost: a look at the size and time of
//! three files per second and open page; a report is made again when they changed and somebody asks for it.

mod answer;
mod events;
mod host;
mod pages;
mod runs;
mod watched;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

use answer::{Site, Visit};

/// Connections at a time; one more is closed at once. One whose client has gone counts until its last answer is made.
pub const CONNECTIONS: usize = 64;
/// The largest head of a request, in bytes.
pub const HEAD: usize = 16 << 10;
/// The most fields in it.
pub const FIELDS: usize = 64;
/// The longest path that is asked for, in bytes.
pub const PATH: usize = 2048;
/// A client that has not sent its request after this time is dropped, one that is idle too.
pub const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// And one that takes nothing of the answer for so long.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// How often the wish to stop is looked at.
const PATIENCE: Duration = Duration::from_millis(100);

/// Why nothing can be served.
///
/// ```
/// use std::net::{IpAddr, Ipv4Addr};
///
/// use isobath::serve::{ServeError, Server};
///
/// let nowhere = std::env::temp_dir().join("isobath-no-such-folder");
/// let error = Server::bind(&nowhere, IpAddr::V4(Ipv4Addr::LOCALHOST), 0).unwrap_err();
/// assert!(matches!(error, ServeError::Folder { .. }));
/// assert!(error.to_string().contains("name a folder with run folders in it"));
/// ```
#[derive(Debug, Error)]
pub enum ServeError {
    /// The folder cannot be read.
    #[error("cannot read {path}: {source}; name a folder with run folders in it, as `isobath study` makes them", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("{path} is no folder; name one with run folders in it, as `isobath study` makes them", path = path.display())]
    NoFolder {
        /// What was named.
        path: PathBuf,
    },
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; choose another --port (0: any that is free) or --bind")]
    Address {
        /// Address and port.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system gives no threads.
    #[error("cannot start the server: {0}")]
    Start(io::Error),
}

impl ServeError {
    /// The exit code of the command: 2 for bad input, 3 for input/output.
    ///
    /// ```
    /// use std::net::{IpAddr, Ipv4Addr};
    ///
    /// use isobath::serve::Server;
    ///
    /// // A program is no folder: bad input.
    /// let program = std::env::current_exe()?;
    /// let error = Server::bind(&program, IpAddr::V4(Ipv4Addr::LOCALHOST), 0).unwrap_err();
    /// assert_eq!(error.exit_code(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::NoFolder { .. }) { 2 } else { 3 }
    }
}

/// A server that listens and does not answer yet.
///
/// ```
/// use std::io::Write;
/// use std::net::{IpAddr, Ipv4Addr, TcpStream};
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// use isobath::serve::Server;
///
/// let folder = std::env::temp_dir().join(format!("isobath-serve-{}", std::process::id()));
/// std::fs::create_dir_all(&folder)?;
/// let server = Server::bind(&folder, IpAddr::V4(Ipv4Addr::LOCALHOST), 0)?;
///
/// let address = server.address();
/// let ask = || -> std::io::Result<String> {
///     let mut client = TcpStream::connect(address)?;
///     write!(client, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
///     std::io::read_to_string(client)
/// };
/// let stop = AtomicBool::new(false);
/// let answer = std::thread::scope(|scope| {
///     scope.spawn(|| server.run(&stop));
///     let answer = ask();
///     stop.store(true, Ordering::Relaxed);
///     answer
/// });
/// std::fs::remove_dir_all(&folder)?;
/// assert!(answer?.starts_with("HTTP/1.1 200 OK"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    site: Arc<Site>,
}

impl Server {
    /// Listens at an address for the run folders below `folder`; port 0 takes any that is free.
    ///
    /// # Errors
    /// There is no such folder, or the address cannot be had.
    ///
    /// ```
    /// use std::net::{IpAddr, Ipv4Addr};
    ///
    /// use isobath::serve::Server;
    ///
    /// let folder = std::env::temp_dir().join(format!("isobath-bind-{}", std::process::id()));
    /// std::fs::create_dir_all(&folder)?;
    /// let server = Server::bind(&folder, IpAddr::V4(Ipv4Addr::LOCALHOST), 0)?;
    /// assert_ne!(server.address().port(), 0);
    /// // The port is taken now.
    /// let taken = Server::bind(&folder, IpAddr::V4(Ipv4Addr::LOCALHOST), server.address().port());
    /// std::fs::remove_dir_all(&folder)?;
    /// assert_eq!(taken.unwrap_err().exit_code(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn bind(folder: &Path, address: IpAddr, port: u16) -> Result<Self, ServeError> {
        let unreadable = |source| ServeError::Folder { path: folder.to_owned(), source };
        let root = folder.canonicalize().map_err(unreadable)?;
        if !root.is_dir() {
            return Err(ServeError::NoFolder { path: folder.to_owned() });
        }
        root.read_dir().map_err(unreadable)?;
        let wanted = SocketAddr::new(address, port);
        let failed = |source| ServeError::Address { address: wanted, source };
        let listener = TcpListener::bind(wanted).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, site: Arc::new(Site::new(root, address.ip())) })
    }

    /// Where it listens.
    ///
    /// ```
    /// use std::net::{IpAddr, Ipv4Addr};
    ///
    /// use isobath::serve::Server;
    ///
    /// let folder = std::env::temp_dir().join(format!("isobath-address-{}", std::process::id()));
    /// std::fs::create_dir_all(&folder)?;
    /// let server = Server::bind(&folder, IpAddr::V4(Ipv4Addr::LOCALHOST), 0)?;
    /// println!("http://{}/", server.address());
    /// assert!(server.address().ip().is_loopback());
    /// std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is set.
    ///
    /// # Errors
    /// The system gives no threads.
    ///
    /// ```
    /// use std::net::{IpAddr, Ipv4Addr};
    /// use std::sync::atomic::AtomicBool;
    ///
    /// use isobath::serve::Server;
    ///
    /// let folder = std::env::temp_dir().join(format!("isobath-run-{}", std::process::id()));
    /// std::fs::create_dir_all(&folder)?;
    /// let server = Server::bind(&folder, IpAddr::V4(Ipv4Addr::LOCALHOST), 0)?;
    /// // A handler of Ctrl-C would set it later.
    /// let stop = AtomicBool::new(true);
    /// server.run(&stop)?;
    /// std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run(self, stop: &AtomicBool) -> Result<(), ServeError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(ServeError::Start)?;
        let result = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener).map_err(ServeError::Start)?;
            let places = Arc::new(Semaphore::new(CONNECTIONS));
            while !stop.load(Ordering::Relaxed) {
                match tokio::time::timeout(PATIENCE, listener.accept()).await {
                    Ok(Ok((stream, _))) => {
                        // Without a place the stream is dropped, which closes it.
                        let Ok(place) = places.clone().try_acquire_owned() else { continue };
                        tokio::spawn(converse(stream, Arc::new(Visit::new(self.site.clone(), place))));
                    }
                    // Too many open files, or a client that has gone: neither ends the others.
                    Ok(Err(_)) => tokio::time::sleep(PATIENCE).await,
                    Err(_) => {}
                }
            }
            Ok(())
        });
        // Pages that are being made need not be waited for.
        runtime.shutdown_background();
        result
    }
}

/// Answers one client until one of both ends it.
async fn converse(stream: TcpStream, visit: Arc<Visit>) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let stream: Pin<Box<_>> = Box::pin(stream);
    let service = service_fn(move |request| answer::answer(visit.clone(), request));
    // An error is the client's: it has gone, was too slow, or has sent what is no request.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .max_buf_size(HEAD)
        .max_headers(FIELDS)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
