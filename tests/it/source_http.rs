//! Fetching over HTTP: `git http-backend` behind a small server on the loopback interface.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use landskap::source::{Credentials, Error, Location, Options, Tree, load};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// What a server does with a request.
#[derive(Clone)]
enum Behaviour {
    /// Serves the repositories below a folder, to those who show `user:password`.
    Serve { root: PathBuf, credentials: &'static str },
    /// Sends everybody to another server.
    Redirect { to: String },
    /// Answers with these bytes as git's list of references.
    Say { body: Vec<u8> },
}

/// A server that ends with the process, and the credentials that it was shown.
struct Server {
    port: u16,
    shown: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&shown);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &behaviour, &log);
            }
        });
        Self { port, shown }
    }

    fn shown(&self) -> Vec<String> {
        self.shown.lock().unwrap().clone()
    }

    fn load(&self, host: &str, cache: &Path, token: Option<&str>) -> Result<Tree, Error> {
        let location = Location::parse(&format!("http://{host}:{}/repo", self.port)).unwrap();
        let token = token.map(|t| Zeroizing::new(t.to_owned()));
        let credentials = Credentials { token, ..Credentials::default() };
        load(&location, None, &Options { cache_dir: cache.to_owned(), credentials })
    }
}

fn answer(stream: TcpStream, behaviour: &Behaviour, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let header = |name: &str| {
        head.iter().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let mut body = Vec::new();
    if header("transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let size = u64::from_str_radix(line.trim(), 16).unwrap();
            (&mut reader).take(size).read_to_end(&mut body).unwrap();
            reader.read_line(&mut String::new()).unwrap();
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = header("content-length") {
        (&mut reader).take(length.parse().unwrap()).read_to_end(&mut body).unwrap();
    }
    let stream = reader.get_mut();
    let authorization = header("authorization").map(|value| {
        let value = BASE64_STANDARD.decode(value.strip_prefix("Basic ").unwrap()).unwrap();
        String::from_utf8(value).unwrap()
    });
    log.lock().unwrap().extend(authorization.clone());
    let (method, target) = {
        let mut words = head[0].split(' ');
        (words.next().unwrap().to_owned(), words.next().unwrap().to_owned())
    };
    let (status, headers, content) = match behaviour {
        Behaviour::Redirect { to } => {
            ("302 Found".to_owned(), format!("Location: {to}{target}\r\n"), Vec::new())
        }
        Behaviour::Say { body } => {
            let kind = "Content-Type: application/x-git-upload-pack-advertisement\r\n".to_owned();
            ("200 OK".to_owned(), kind, body.clone())
        }
        Behaviour::Serve { credentials, .. } if authorization.as_deref() != Some(credentials) => (
            "401 Unauthorized".to_owned(),
            "WWW-Authenticate: Basic realm=\"git\"\r\n".to_owned(),
            Vec::new(),
        ),
        Behaviour::Serve { root, .. } => {
            let kind = header("content-type").unwrap_or_default();
            backend(root, &method, &target, &kind, &body)
        }
    };
    let length = content.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&content));
}

/// Runs git's own CGI program: status, headers, content.
fn backend(root: &Path, method: &str, target: &str, kind: &str, body: &[u8]) -> (String, String, Vec<u8>) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", method)
        .env("CONTENT_TYPE", kind)
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let out = child.wait_with_output().unwrap().stdout;
    let end = out.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let mut status = "200 OK".to_owned();
    let mut headers = String::new();
    for line in String::from_utf8_lossy(&out[..end]).lines() {
        match line.strip_prefix("Status: ") {
            Some(other) => other.clone_into(&mut status),
            None => headers.extend([line, "\r\n"]),
        }
    }
    (status, headers, out[end + 4..].to_vec())
}

fn git(folder: &Path, args: &[&str]) -> String {
    let out = Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// A folder with `repo`, which has one commit.
fn repository() -> TempDir {
    let folder = TempDir::new().unwrap();
    git(folder.path(), &["init", "--quiet", "--initial-branch=main", "repo"]);
    commit(folder.path(), "one");
    folder
}

fn commit(folder: &Path, name: &str) -> String {
    let repo = folder.join("repo");
    fs::write(repo.join("landscape.yaml"), format!("name: {name}\n")).unwrap();
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "--quiet", "-m", name]);
    git(&repo, &["rev-parse", "HEAD"])
}

fn serve(folder: &TempDir, credentials: &'static str) -> Server {
    Server::start(Behaviour::Serve { root: folder.path().to_owned(), credentials })
}

#[test]
fn a_token_opens_a_repository_and_later_fetches_bring_what_is_new() {
    let folder = repository();
    let cache = folder.path().join("cache");
    let server = serve(&folder, "x-access-token:tok3n");
    let tree = server.load("127.0.0.1", &cache, Some("tok3n")).unwrap();
    assert_eq!(tree.read_text("landscape.yaml").unwrap(), "name: one\n");
    assert_eq!(tree.revision().unwrap().reference.as_deref(), Some("main"));
    assert_eq!(tree.origin(), format!("http://127.0.0.1:{}/repo", server.port));
    let two = commit(folder.path(), "two");
    let newer = server.load("127.0.0.1", &cache, Some("tok3n")).unwrap();
    assert_eq!(newer.revision().unwrap().commit, two);
    assert!(newer.contains(&tree.revision().unwrap().commit).unwrap());
}

#[test]
fn the_token_is_tried_under_the_name_that_gitlab_wants() {
    let folder = repository();
    let server = serve(&folder, "oauth2:tok3n");
    assert!(server.load("127.0.0.1", &folder.path().join("cache"), Some("tok3n")).is_ok());
}

#[test]
fn credentials_in_the_url_work_and_are_never_shown() {
    let folder = repository();
    let server = serve(&folder, "bot:s3cr@t");
    let options = Options { cache_dir: folder.path().join("cache"), credentials: Credentials::default() };
    let at = |password: &str| {
        let url = format!("http://bot:{password}@127.0.0.1:{}/repo", server.port);
        load(&Location::parse(&url).unwrap(), None, &options)
    };
    let tree = at("s3cr%40t").unwrap();
    assert_eq!(tree.origin(), format!("http://127.0.0.1:{}/repo", server.port));
    let error = at("wr0ng").unwrap_err();
    let text = format!("{error} {error:?} {:?}", error.diagnostic());
    assert!(!text.contains("wr0ng") && !text.contains("bot"), "{text}");
    assert!(text.contains("source-fetch") && text.contains("give a token"), "{text}");
    assert!(server.shown().contains(&"bot:wr0ng".to_owned()));
    // Nothing is kept with the clone either.
    let kept =
        Command::new("grep").args(["-rlE", "s3cr|wr0ng"]).arg(folder.path().join("cache")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&kept.stdout), "");
}

#[test]
fn a_refused_token_is_not_in_the_error() {
    let folder = repository();
    let server = serve(&folder, "nobody:nothing");
    let error = server.load("127.0.0.1", &folder.path().join("cache"), Some("tok3n")).unwrap_err();
    assert_eq!(error.code(), "source-fetch");
    assert!(!format!("{error:?}").contains("tok3n"));
    assert_eq!(server.shown(), ["x-access-token:tok3n", "oauth2:tok3n"], "each is tried once");
}

#[test]
fn a_redirect_takes_no_credentials_to_another_server() {
    let folder = repository();
    let cache = folder.path().join("cache");
    let other = serve(&folder, "x-access-token:tok3n");
    let to = format!("http://localhost:{}", other.port);
    let error =
        Server::start(Behaviour::Redirect { to }).load("127.0.0.1", &cache, Some("tok3n")).unwrap_err();
    assert_eq!(error.code(), "source-fetch");
    // The same host, but another port.
    let to = format!("http://127.0.0.1:{}", other.port);
    let error =
        Server::start(Behaviour::Redirect { to }).load("127.0.0.1", &cache, Some("tok3n")).unwrap_err();
    assert_eq!(error.code(), "source-fetch");
    assert_eq!(other.shown(), Vec::<String>::new());
}

#[test]
fn what_a_server_says_is_scrubbed() {
    let line = "ERR \u{1b}[2J\u{1b}[31mgo away\u{7} https://bot:hunter2@h/x tok3n\n";
    let mut body = b"001e# service=git-upload-pack\n0000".to_vec();
    body.extend(format!("{:04x}{line}", line.len() + 4).bytes());
    let folder = TempDir::new().unwrap();
    let error =
        Server::start(Behaviour::Say { body }).load("127.0.0.1", folder.path(), Some("tok3n")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("go away") && text.contains("https://h/x ***"), "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
