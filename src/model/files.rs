//! Fetching files that others chose: a guard says from where, and how much is read.

use std::collections::BTreeSet;
use std::rc::Rc;

use thiserror::Error;

use super::http::{Download, Http, HttpError, Request, Response};
use crate::memory::{FileKind, WebAddress};

/// How often a redirect is followed.
const MAX_REDIRECTS: usize = 3;

/// How long one request may take, in milliseconds.
const TIMEOUT_MS: u64 = 20_000;

/// From where files may be fetched: from any public address of HTTPS, and from these origins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(pub BTreeSet<String>);

impl Origins {
    /// Whether something may be fetched from there.
    pub fn allow(&self, address: &WebAddress) -> bool {
        (address.is_public() && address.has_standard_port()) || self.0.contains(&address.origin())
    }
}

/// Fetches files over the host's network.
pub struct Files {
    http: Rc<dyn Http>,
    origins: Origins,
}

impl Files {
    /// Over this network, from where `origins` says.
    pub fn new(http: Rc<dyn Http>, origins: Origins) -> Self {
        Self { http, origins }
    }

    /// Fetches a file of a kind. Every redirect is checked like the first address.
    ///
    /// # Errors
    /// See [`FileError`].
    pub async fn fetch(&self, url: &str, kind: FileKind) -> Result<Vec<u8>, FileError> {
        let limit = kind.limit();
        let mut address = WebAddress::read(url).map_err(|_| FileError::NotAllowed)?;
        for _ in 0..=MAX_REDIRECTS {
            if !self.origins.allow(&address) {
                return Err(FileError::NotAllowed);
            }
            let request = Request {
                method: "GET",
                url: address.to_string(),
                headers: vec![("accept".to_owned(), accepted(kind).to_owned())],
                body: Vec::new(),
                download: Some(Download { limit }),
            };
            let sent = self.http.send(request, TIMEOUT_MS).await;
            let response = sent.map_err(|error| match error {
                HttpError::Timeout => FileError::Timeout,
                HttpError::TooLarge => too_large(limit),
                HttpError::Failed(_) => FileError::Unreachable,
            })?;
            match response.status {
                200..=299 => return checked(response, kind),
                301 | 302 | 303 | 307 | 308 => {
                    let to = response.header("location");
                    let to = to.and_then(|to| address.join(to).ok());
                    address = to.ok_or(FileError::NotAllowed)?;
                }
                status => return Err(FileError::Status(status)),
            }
        }
        Err(FileError::Redirects)
    }
}

fn accepted(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Image => "image/png, image/jpeg, image/gif, image/webp",
        FileKind::Pdf => "application/pdf",
        FileKind::Text => "text/plain, text/markdown, text/*;q=0.9, application/json, */*;q=0.1",
    }
}

/// The body, when it is a file of the kind: an image and a document by their first bytes, a text also by what its
/// server says, as the markup of a page is a text too.
fn checked(response: Response, kind: FileKind) -> Result<Vec<u8>, FileError> {
    let limit = kind.limit();
    let declared = response.header("content-type");
    let is_page = kind == FileKind::Text && declared.is_some_and(|it| is_page(it.as_bytes()));
    let body = response.body;
    if body.len() > limit {
        return Err(too_large(limit));
    }
    match kind.media_type(&body) {
        Some(_) if !is_page => Ok(body),
        _ => Err(FileError::OtherKind {
            expected: kind.forms(),
        }),
    }
}

fn is_page(media_type: &[u8]) -> bool {
    let is = |name: &[u8]| {
        let start = media_type.get(..name.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    is(b"text/html") || is(b"application/xhtml")
}

fn too_large(limit: usize) -> FileError {
    FileError::TooLarge {
        megabytes: limit >> 20,
    }
}

/// Why a file could not be fetched. No message holds its address, which may be of what is erased later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FileError {
    /// The address, or one that it was redirected to, is none that may be asked.
    #[error("only public addresses of https:// are fetched, and origins in EDGEMEM_FETCH_ORIGINS")]
    NotAllowed,
    /// It was redirected again and again.
    #[error("it was redirected more than {MAX_REDIRECTS} times")]
    Redirects,
    /// Its server refused or failed.
    #[error("its server answered HTTP {0}")]
    Status(u16),
    /// It is too large.
    #[error("it is larger than {megabytes} MB")]
    TooLarge {
        /// The most that is read.
        megabytes: usize,
    },
    /// It is something else.
    #[error("it is not {expected}")]
    OtherKind {
        /// What it should be.
        expected: &'static str,
    },
    /// No connection, or a broken one.
    #[error("its server cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("its server did not answer within {} s", TIMEOUT_MS / 1_000)]
    Timeout,
}

impl FileError {
    /// Whether the same may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable | Self::Timeout => true,
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use futures_executor::block_on;
    use futures_util::future::LocalBoxFuture;

    use super::*;

    type Answer = Result<Response, HttpError>;

    #[derive(Default)]
    struct Script {
        answers: RefCell<VecDeque<Answer>>,
        asked: RefCell<Vec<String>>,
    }

    impl Http for Script {
        fn send(&self, request: Request, _: u64) -> LocalBoxFuture<'_, Answer> {
            assert!(request.download.is_some());
            self.asked.borrow_mut().push(request.url);
            let answer = self.answers.borrow_mut().pop_front().unwrap();
            Box::pin(async { answer })
        }

        fn sleep(&self, _: u64) -> LocalBoxFuture<'_, ()> {
            Box::pin(async {})
        }

        fn jitter(&self) -> f64 {
            0.0
        }
    }

    fn answer(status: u16, header: (&str, &str), body: &[u8]) -> Answer {
        Ok(Response {
            status,
            headers: vec![(header.0.to_owned(), header.1.to_owned())],
            body: body.to_vec(),
        })
    }

    fn moved(to: &str) -> Answer {
        answer(302, ("location", to), b"")
    }

    fn text(body: &str) -> Answer {
        answer(200, ("content-type", "text/plain"), body.as_bytes())
    }

    /// What becomes of a URL, and which addresses were asked.
    fn fetch(
        url: &str,
        kind: FileKind,
        answers: Vec<Answer>,
    ) -> (Result<Vec<u8>, FileError>, Vec<String>) {
        let script = Rc::new(Script::default());
        script.answers.borrow_mut().extend(answers);
        let private = BTreeSet::from(["http://127.0.0.1:9".to_owned()]);
        let files = Files::new(script.clone(), Origins(private));
        let fetched = block_on(files.fetch(url, kind));
        (fetched, script.asked.take())
    }

    #[test]
    fn redirects_are_followed_and_checked() {
        let (fetched, asked) = fetch(
            "https://example.com/a",
            FileKind::Text,
            vec![moved("/b"), moved("https://other.example/c"), text("hi")],
        );
        assert_eq!(fetched, Ok(b"hi".to_vec()));
        assert_eq!(
            asked,
            [
                "https://example.com/a",
                "https://example.com/b",
                "https://other.example/c"
            ]
        );
        for inside in [
            "http://example.com/",
            "https://10.0.0.1/",
            "https://localhost/",
            "https://example.com:8443/",
            "//0x7f.1/",
        ] {
            let (fetched, asked) =
                fetch("https://example.com/a", FileKind::Text, vec![moved(inside)]);
            assert_eq!(fetched, Err(FileError::NotAllowed), "{inside}");
            assert_eq!(asked.len(), 1, "{inside}");
        }
        let around = (0..4).map(|_| moved("/a")).collect();
        let (fetched, asked) = fetch("https://example.com/a", FileKind::Text, around);
        assert_eq!((fetched, asked.len()), (Err(FileError::Redirects), 4));
        let nowhere = vec![answer(301, ("x", "y"), b"")];
        assert_eq!(
            fetch("https://example.com/", FileKind::Text, nowhere).0,
            Err(FileError::NotAllowed)
        );
    }

    #[test]
    fn an_origin_is_allowed_to_the_letter() {
        let (fetched, _) = fetch("http://127.0.0.1:9/x", FileKind::Text, vec![text("hi")]);
        assert!(fetched.is_ok());
        for other in [
            "https://127.0.0.1:9/x",
            "http://127.0.0.1/x",
            "http://127.0.0.1:90/x",
            "http://127.0.0.1.nip.io:9/",
        ] {
            let (fetched, asked) = fetch(other, FileKind::Text, Vec::new());
            assert_eq!(
                (fetched, asked.len()),
                (Err(FileError::NotAllowed), 0),
                "{other}"
            );
        }
    }

    #[test]
    fn only_what_was_promised_is_taken() {
        let page = answer(200, ("content-type", "text/HTML; charset=utf-8"), b"<p>hi");
        let image = answer(200, ("content-type", "image/png"), b"<html>");
        let long = text(&"x".repeat((1 << 20) + 1));
        let gone = answer(404, ("content-type", "text/plain"), b"gone");
        let busy = answer(503, ("content-type", "text/plain"), b"busy");
        for (kind, given, expected, again) in [
            (
                FileKind::Text,
                page,
                FileError::OtherKind {
                    expected: "plain text in UTF-8",
                },
                false,
            ),
            (
                FileKind::Image,
                image,
                FileError::OtherKind {
                    expected: FileKind::Image.forms(),
                },
                false,
            ),
            (
                FileKind::Text,
                long,
                FileError::TooLarge { megabytes: 1 },
                false,
            ),
            (
                FileKind::Image,
                Err(HttpError::TooLarge),
                FileError::TooLarge { megabytes: 4 },
                false,
            ),
            (FileKind::Text, gone, FileError::Status(404), false),
            (FileKind::Text, busy, FileError::Status(503), true),
            (
                FileKind::Text,
                Err(HttpError::Timeout),
                FileError::Timeout,
                true,
            ),
            (
                FileKind::Text,
                Err(HttpError::Failed("x".into())),
                FileError::Unreachable,
                true,
            ),
        ] {
            let (fetched, _) = fetch("https://example.com/x", kind, vec![given]);
            assert_eq!(fetched, Err(expected));
            assert_eq!(expected.is_retryable(), again, "{expected}");
        }
    }
}
