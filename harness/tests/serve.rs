//! `isobath serve` over real connections: who is answered, what cannot be reached, and that a page follows its study.
#![cfg(all(unix, feature = "serve"))]

#[path = "common/ended.rs"]
mod ended;
#[path = "common/running.rs"]
mod running;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ended::assert_ended;
use running::{run, start, write_study};
use tempfile::TempDir;

const HOSTILE: &str = "<script>alert(1)<";

/// A server that ends with its test.
struct Served {
    child: Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobath"));
    command.arg("serve").arg(folder).args(flags);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn serve(folder: &Path) -> Served {
    let mut child = command(folder, &["--port", "0"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.split("//").nth(1).and_then(|rest| rest.split('/').next()).expect(&line).to_owned();
    Served { child, address }
}

impl Served {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// The whole answer to what is sent.
    fn raw(&self, request: &str) -> String {
        let mut stream = self.connect();
        // A refusal may come, and the connection close, before all is sent.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn ask(&self, method: &str, path: &str, host: &str) -> String {
        self.raw(&format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
    }

    fn get(&self, path: &str) -> String {
        self.ask("GET", path, "localhost")
    }
}

#[track_caller]
fn assert_status(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "not {status}: {answer:.300}");
}

/// A folder with one finished run called `small`.
fn finished() -> TempDir {
    let folder = TempDir::new().unwrap();
    let file = write_study(folder.path(), 12);
    assert_ended(&run(&file, &folder.path().join("runs/small")), 0, &[]);
    folder
}

#[test]
fn pages_are_served_and_nothing_else() {
    let folder = finished();
    let root = folder.path().join("runs");
    fs::write(root.join("secret.txt"), "top secret").unwrap();
    fs::write(folder.path().join("outside.txt"), "top secret").unwrap();
    // Links out of the folder, to a run and of a file.
    fs::create_dir_all(folder.path().join("elsewhere")).unwrap();
    fs::copy(root.join("small/records.jsonl"), folder.path().join("elsewhere/records.jsonl")).unwrap();
    symlink(folder.path().join("elsewhere"), root.join("linked")).unwrap();
    fs::create_dir(root.join("half")).unwrap();
    symlink(folder.path().join("elsewhere/records.jsonl"), root.join("half/records.jsonl")).unwrap();
    let before: Vec<_> = fs::read_dir(root.join("small")).unwrap().map(|e| e.unwrap().file_name()).collect();
    let server = serve(&root);

    let index = server.get("/");
    assert_status(&index, 200);
    assert!(index.contains("href=\"/run/small\"") && index.contains("finished, "), "{index}");
    assert!(!index.contains("linked") && !index.contains("half") && !index.contains("secret"));
    let page = server.get("/run/small");
    assert_status(&page, 200);
    let file = fs::read_to_string(root.join("small/report.html")).unwrap();
    let main = |page: &str| page[page.find("<main>").unwrap()..page.find("</main>").unwrap()].to_owned();
    assert!(main(&page) == main(&file), "the page is the report");
    assert!(main(&server.get("/content/small")) == main(&file));

    for path in [
        "/run/nothing",
        "/run/",
        "/run/linked",
        "/run/half",
        "/run/small/",
        "/run/small/records.jsonl",
        "/small",
        "/run/../outside.txt",
        "/run/%2e%2e/outside.txt",
        "/run/..%2foutside.txt",
        "/run/small/../../outside.txt",
        "/run//etc/passwd",
        "/run/%2fetc%2fpasswd",
        "/etc/passwd",
        "//etc/passwd",
        "/run/%00",
        "/run/%ff",
        "/secret.txt",
        "/run/secret.txt",
        "/report.html",
        "/content/..",
        "/events/..",
        "/content/small/summary.json",
    ] {
        let answer = server.get(path);
        assert_status(&answer, 404);
        assert!(!answer.contains("secret") && !answer.contains("root:"), "{path}: {answer}");
    }
    let after: Vec<_> = fs::read_dir(root.join("small")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(before, after, "something was written");
}

#[test]
fn only_reading_requests_to_this_machine_are_answered() {
    let folder = finished();
    let server = serve(&folder.path().join("runs"));
    assert!(server.address.starts_with("127.0.0.1:"), "loopback by default");
    for host in ["localhost", "127.0.0.1", &server.address, "[::1]:80"] {
        assert_status(&server.ask("GET", "/", host), 200);
    }
    for host in ["evil.example", "localhost.evil.example", "192.0.2.1"] {
        assert_status(&server.ask("GET", "/", host), 403);
    }
    assert_status(&server.raw("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), 400);
    assert_status(
        &server.raw("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n"),
        400,
    );
    assert_status(&server.ask("GET", "http://evil.example/", "localhost"), 400);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"] {
        let answer = server.ask(method, "/", "localhost");
        assert_status(&answer, 405);
        assert!(answer.to_lowercase().contains("allow: get, head"), "{answer}");
    }
    let head = server.ask("HEAD", "/run/small", "localhost");
    assert_status(&head, 200);
    assert!(head.ends_with("\r\n\r\n"), "no body follows");
    let page = server.get("/run/small").to_lowercase();
    for field in [
        "content-security-policy: default-src 'none'; script-src 'sha256-",
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
    ] {
        assert!(page.contains(field), "{field}");
    }
    assert!(!page.contains("unsafe-") && !page.contains("access-control-allow"));
}

#[test]
fn what_one_client_takes_up_is_limited() {
    let folder = finished();
    let server = serve(&folder.path().join("runs"));
    assert_status(&server.get(&format!("/{}", "a".repeat(3000))), 414);
    let large = format!("GET / HTTP/1.1\r\nHost: localhost\r\nx: {}\r\n\r\n", "a".repeat(40_000));
    assert_status(&server.raw(&large), 431);
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "x: y\r\n".repeat(100));
    assert_status(&server.raw(&many), 431);
    // Half a request: the connection ends by itself, and long before the test's own patience.
    let begun = Instant::now();
    let mut slow = server.connect();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).expect("closed, not timed out");
    assert!(begun.elapsed() < Duration::from_secs(25));
    // As many as there are places, all holding theirs: one more is closed unheard.
    let mut held: Vec<TcpStream> = (0..isobath::serve::CONNECTIONS).map(|_| server.connect()).collect();
    for stream in &mut held {
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
    }
    assert_eq!(server.get("/"), "", "one too many");
    // They go, and once what is done for them has ended their places are free.
    drop(held);
    let begun = Instant::now();
    while !server.get("/").starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < Duration::from_secs(60), "no place came back");
    }
}

#[test]
fn names_of_folders_and_data_are_text() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("runs");
    let small = include_str!("small.toml");
    let data = folder.path().join("<script>alert(1)</script>.csv");
    fs::create_dir_all(data.parent().unwrap()).unwrap();
    let rows: String = (0..400).map(|i| format!("{}.5,{},{}\n", i % 7, i % 5, i % 2)).collect();
    fs::write(&data, format!("a,b,label\n{rows}")).unwrap();
    let source = format!("source = \"csv:{}\"", data.display());
    let file = folder.path().join("hostile.toml");
    fs::write(&file, small.replace("source = \"glyphs\"", &source)).unwrap();
    let out = root.join("<script>alert(1)</script>");
    assert_ended(&run(&file, &out), 0, &[]);
    let server = serve(&root);
    let index = server.get("/");
    assert!(index.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !index.contains(HOSTILE), "{index}");
    let link = index.split("href=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert_eq!(link, "/run/%3Cscript%3Ealert%281%29%3C/script%3E");
    let page = server.get(link);
    assert_status(&page, 200);
    assert!(!page.contains(HOSTILE) && page.contains("csv:"), "{page:.2000}");
    let report = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(!report.contains(HOSTILE) && report.contains("http-equiv=\"Content-Security-Policy\""));
}

#[test]
fn a_page_follows_its_study_and_the_study_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("runs");
    fs::create_dir(&root).unwrap();
    let server = serve(&root);
    assert!(server.get("/").contains("No runs yet"));
    let file = write_study(folder.path(), 400);
    let out = root.join("small");
    let mut study = start(&file, &out);
    while !out.join("outline.json").exists() {
        assert!(study.try_wait().unwrap().is_none(), "it ended before it had begun");
        std::thread::sleep(Duration::from_millis(2));
    }
    let early = server.get("/content/small");
    assert!(early.contains(" runs") && !early.contains("finished, "), "{early:.500}");
    let mut stream = server.connect();
    stream.write_all(b"GET /events/small HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut versions = Vec::new();
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { break };
        let Some(version) = line.strip_prefix("data: ") else { continue };
        versions.push(version.to_owned());
        if out.join("summary.json").exists() {
            break;
        }
    }
    assert!(versions.len() > 1 && versions.windows(2).all(|pair| pair[0] != pair[1]), "{versions:?}");
    assert_ended(&study.wait_with_output().unwrap(), 0, &[]);
    let page = server.get("/run/small");
    assert!(page.contains("finished, ") && page.contains("How it was measured"));
    // What was shown on the way is what a killed study shows: without its summary, the records say it.
    let whole = server.get("/content/small");
    fs::remove_file(out.join("summary.json")).unwrap();
    let partial = server.get("/content/small");
    assert!(partial.contains("not finished"), "{partial:.300}");
    let table = |page: &str| {
        let from = page.find("<table class=\"rows\"").expect("a table of the rows");
        page[from..].split("</table>").next().unwrap().matches("<tr ").count()
    };
    assert_eq!(table(&partial), table(&whole));
    // The study that goes on finds its folder as it left it.
    assert_ended(&run(&file, &out), 0, &[]);
}

#[test]
fn what_cannot_be_served_is_said() {
    let folder = TempDir::new().unwrap();
    let run = |path: &Path, flags: &[&str]| command(path, flags).output().unwrap();
    assert_ended(&run(&folder.path().join("none"), &[]), 3, &["cannot read", "none"]);
    fs::write(folder.path().join("file"), "").unwrap();
    assert_ended(&run(&folder.path().join("file"), &[]), 2, &["is no folder"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert_ended(&run(folder.path(), &["--port", &port]), 3, &["cannot listen on", &port, "--port"]);
    assert_ended(&run(folder.path(), &["--bind", "nowhere"]), 2, &["--bind"]);
    assert_ended(&run(folder.path(), &["--port", "70000"]), 2, &["--port"]);
}

#[test]
fn an_interrupt_ends_it_and_an_open_address_is_warned_about() {
    let folder = TempDir::new().unwrap();
    let mut child = command(folder.path(), &["--port", "0", "--bind", "0.0.0.0"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("127.0.0.1:"), "{line}");
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    assert_ended(&child.wait_with_output().unwrap(), 130, &["warning: --bind 0.0.0.0"]);
}
