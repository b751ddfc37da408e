//! Whether a request's `Host` is one that leads here.
//!
//! A page from elsewhere can have its own name lead to this machine (DNS rebinding); its requests then carry that name. So
//! a name must be `localhost`, and an address a loopback one or the one that is listened on; where all are listened on, any
//! address. The port is left alone: a tunnel has its own.

use std::net::{IpAddr, Ipv6Addr};

/// Whether `host`, as the request has it, may be answered by a server at `bound`.
pub(super) fn is_allowed(host: &str, bound: IpAddr) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => (address, port),
            None => return false,
        },
        None => host.find(':').map_or((host, ""), |at| host.split_at(at)),
    };
    let is_port = |text: &str| text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return false;
    }
    let address = match host.starts_with('[') {
        true => name.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        false => name.parse().ok().filter(IpAddr::is_ipv4),
    };
    match address {
        Some(address) => address.is_loopback() || address == bound || bound.is_unspecified(),
        None => !host.starts_with('[') && name.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_elsewhere_are_refused() {
        let loopback = "127.0.0.1".parse().unwrap();
        let (one, all) = ("192.0.2.7".parse().unwrap(), "0.0.0.0".parse().unwrap());
        for host in ["localhost", "LocalHost:80", "127.0.0.1", "127.0.0.1:7300", "[::1]", "[::1]:7300"] {
            assert!([loopback, one, all].iter().all(|bound| is_allowed(host, *bound)), "{host}");
        }
        for host in [
            "",
            ":",
            "evil.example",
            "evil.example:7300",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost:x",
            "localhost@evil.example",
            "[::1",
            "[localhost]",
            "::1",
            "127.0.0.1:1:2",
            "0x7f.1",
        ] {
            assert!(![loopback, one, all].iter().any(|bound| is_allowed(host, *bound)), "{host}");
        }
        assert!(!is_allowed("192.0.2.7", loopback) && is_allowed("192.0.2.7", one));
        assert!(is_allowed("192.0.2.8:7300", all) && !is_allowed("192.0.2.8", one));
    }
}
