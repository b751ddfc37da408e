//! `isobath serve`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::common::{Failure, print, stop_flag};
use crate::serve::Server;

/// Flags of `isobath serve`.
#[derive(Debug, Args)]
#[command(after_help = "Ctrl-C ends it, with exit code 130. Nothing is written; studies may run meanwhile.")]
pub(super) struct Arguments {
    /// A run folder, or a folder with run folders below it
    #[arg(value_name = "DIR", default_value = "runs")]
    folder: PathBuf,
    /// The port to listen on; 0 takes any that is free
    #[arg(long, value_name = "P", default_value_t = 7300)]
    port: u16,
    /// The address to listen on; with any but a loopback address, others on the network can read all runs
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    /// Show the page in the browser
    #[arg(long)]
    open: bool,
}

/// Where a browser on this machine finds the server.
fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}/", SocketAddr::new(ip, address.port()))
}

/// Serves until it is interrupted.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let failed =
        |error: crate::serve::ServeError| Failure { code: error.exit_code(), message: error.to_string() };
    let server = Server::bind(&arguments.folder, arguments.bind, arguments.port).map_err(failed)?;
    if !arguments.bind.is_loopback() {
        eprintln!(
            "isobath: warning: --bind {}: everyone who can reach this machine there can read the runs in {}",
            arguments.bind,
            arguments.folder.display()
        );
    }
    // Before anybody can know that it serves, and interrupt it.
    let stop = stop_flag();
    let url = url(server.address());
    print(&format!("{} is served at {url}; Ctrl-C ends it\n", arguments.folder.display()))?;
    if arguments.open
        && let Err(error) = open::that_detached(&url)
    {
        eprintln!("isobath: --open: no browser could be started ({error}); open {url} in one");
    }
    server.run(stop).map_err(failed)?;
    Ok(ExitCode::from(130))
}
