//! As much of HTTP/1.1 as a test server needs, with control over the bytes: a reply can be cut.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};

use serde_json::Value;

/// The largest body that is read, in bytes.
const MAX_BODY: usize = 64 << 20;

/// A request, read whole.
#[derive(Debug)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the client wants the connection kept.
    pub keep_alive: bool,
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// `application/json` unless said otherwise.
    pub content_type: &'static str,
    /// Seconds for a `Retry-After` header.
    pub retry_after: Option<u64>,
    /// For a `Location` header.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// Send only half of the body, then close.
    pub cut: bool,
}

impl Response {
    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json",
            retry_after: None,
            location: None,
            body: body.to_string().into_bytes(),
            cut: false,
        }
    }

    /// An error in OpenAI's shape.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let kind = if status < 500 {
            "invalid_request_error"
        } else {
            "server_error"
        };
        Self::json(
            status,
            &serde_json::json!({"error": {"message": message, "type": kind, "code": code, "param": null}}),
        )
    }
}

/// One client's connection.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Takes over an accepted stream.
    pub fn new(stream: TcpStream) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// The next request; `None` when the client is gone.
    ///
    /// # Errors
    /// When the connection breaks or the bytes are not HTTP.
    pub fn read(&mut self) -> io::Result<Option<Request>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if self.stream.read_until(b'\n', &mut head)? == 0 {
                return Ok(None);
            }
        }
        let mut headers = [httparse::EMPTY_HEADER; 96];
        let mut parsed = httparse::Request::new(&mut headers);
        parsed.parse(&head).map_err(invalid)?;
        let header = |name: &str| {
            parsed
                .headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case(name))
                .and_then(|header| std::str::from_utf8(header.value).ok())
        };
        let keep_alive = header("connection").is_none_or(|v| !v.eq_ignore_ascii_case("close"));
        let chunked =
            header("transfer-encoding").is_some_and(|v| v.to_ascii_lowercase().contains("chunked"));
        let length = header("content-length")
            .map_or(Ok(0), |v| v.trim().parse::<usize>().map_err(invalid))?;
        if header("expect").is_some() {
            self.stream
                .get_mut()
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let method = parsed.method.unwrap_or_default().to_owned();
        let target = parsed.path.unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let body = if chunked {
            self.chunks()?
        } else {
            self.exactly(length)?
        };
        Ok(Some(Request {
            method,
            path,
            body,
            keep_alive,
        }))
    }

    /// Sends an answer. Returns whether the connection can be used again.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn write(&mut self, response: &Response, keep_alive: bool) -> io::Result<bool> {
        let mut head = format!(
            "HTTP/1.1 {} {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n",
            response.status,
            reason(response.status),
            response.content_type,
            response.body.len()
        );
        if let Some(location) = &response.location {
            head.push_str(&format!("location: {location}\r\n"));
        }
        if let Some(seconds) = response.retry_after {
            head.push_str(&format!("retry-after: {seconds}\r\n"));
        }
        if !keep_alive {
            head.push_str("connection: close\r\n");
        }
        head.push_str("\r\n");
        let body = if response.cut {
            response
                .body
                .get(..response.body.len() / 2)
                .unwrap_or_default()
        } else {
            &response.body
        };
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        stream.flush()?;
        let open = keep_alive && !response.cut;
        if !open {
            stream.shutdown(Shutdown::Both)?;
        }
        Ok(open)
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > MAX_BODY {
            return Err(invalid("the body is too large"));
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(invalid)?;
            body.extend(self.exactly(size.min(MAX_BODY + 1))?);
            self.stream.read_line(&mut line)?;
            if size == 0 {
                return Ok(body);
            }
            if body.len() > MAX_BODY {
                return Err(invalid("the body is too large"));
            }
        }
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
