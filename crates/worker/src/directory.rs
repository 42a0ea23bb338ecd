//! The Durable Object of a project's directory: its records, and the webhooks that it calls.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use edgemem::api::{Backend, Project, problem_response};
use edgemem::directory::{Answer, Ask, Delivery, Directory, Now, SIGNATURE, signature};
use edgemem::memory::{Problem, SpaceHash};
use edgemem::operation::{Operation, Reply};
use futures_util::future::{Either, LocalBoxFuture, select};
use futures_util::stream::{self, StreamExt};
use wasm_bindgen::prelude::*;
use worker::{
    AbortController, Delay, DurableObject, Env, Fetch, Headers, Method, Request, RequestInit,
    RequestRedirect, Response, Result, State, console_warn, durable_object, js_sys,
};

use crate::ask::ask_space;
use crate::failure::{caught, internal};
use crate::http::{read_request, to_response, to_worker};
use crate::models::variable;
use crate::object::moment_now;
use crate::storage::SqliteStorage;

/// The binding of the directories.
const BINDING: &str = "DIRECTORY";

/// Set to `true`, webhooks may lead to private networks and over plain HTTP.
const PRIVATE_VARIABLE: &str = "EDGEMEM_PRIVATE_WEBHOOKS";

/// The longest question that a directory reads, in bytes.
const MAX_ASK_BYTES: usize = 4 * edgemem::api::MAX_BODY_BYTES;

/// Deliveries that are tried at a time, and together.
const AT_A_TIME: usize = 20;
const TOGETHER: usize = 4;

/// How long a receiver may take, in milliseconds.
const TIMEOUT_MS: u64 = 10_000;

type Wire = std::result::Result<Answer, Problem>;

/// Whether this Worker has directories.
pub fn has_directory(env: &Env) -> bool {
    env.durable_object(BINDING).is_ok()
}

/// Asks the directory of a project: the question and the answer travel as JSON.
///
/// # Errors
/// What the directory refuses, and 503 when it cannot be reached.
pub async fn ask_directory(env: &Env, project: &Project, ask: &Ask) -> Wire {
    let unreachable = |error: worker::Error| {
        let reason = format!("the project's directory cannot be reached: {error}; try again");
        Problem::new(503, "directory_unavailable", reason)
    };
    let unreadable = |error: serde_json::Error| internal(&error.to_string());
    let body = serde_json::to_vec(ask).map_err(unreadable)?;
    let request = http::Request::post("https://directory/")
        .body(body)
        .map_err(|error| internal(&error.to_string()))?;
    let object = env
        .durable_object(BINDING)
        .and_then(|objects| objects.get_by_name(&project.id))
        .map_err(unreachable)?;
    let request = to_worker(request).map_err(unreachable)?;
    let asked = object.fetch_with_request(request).await;
    let mut response = asked.map_err(unreachable)?;
    let answer = response.bytes().await.map_err(unreachable)?;
    serde_json::from_slice::<Wire>(&answer).map_err(unreadable)?
}

/// The spaces and the directory of one project.
pub struct OfProject<'a> {
    pub env: &'a Env,
    pub project: &'a Project,
}

impl Backend for OfProject<'_> {
    fn space(
        &self,
        space: SpaceHash,
        operation: Operation,
    ) -> LocalBoxFuture<'_, std::result::Result<Reply, Problem>> {
        Box::pin(ask_space(self.env, self.project, space, operation))
    }

    fn directory(&self, ask: Ask) -> LocalBoxFuture<'_, Wire> {
        Box::pin(async move { ask_directory(self.env, self.project, &ask).await })
    }
}

/// The Durable Object of one directory.
#[durable_object(alarm)]
pub struct DirectoryObject {
    state: State,
    directory: AssertUnwindSafe<Directory<SqliteStorage>>,
}

impl DurableObject for DirectoryObject {
    fn new(state: State, env: Env) -> Self {
        let private = variable(&env, PRIVATE_VARIABLE);
        let private = private.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        let storage = SqliteStorage::new(&state);
        Self {
            state,
            directory: AssertUnwindSafe(Directory::new(storage, private)),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let answer = match read_request(&mut request, MAX_ASK_BYTES).await {
            Ok(read) => match serde_json::from_slice(read.body()) {
                Ok(ask) => self.answer(ask).await,
                Err(error) => Err(internal(&format!("a question cannot be read: {error}"))),
            },
            Err(error) => Err(internal(&error.to_string())),
        };
        match serde_json::to_vec(&answer) {
            Ok(body) => to_response(http::Response::new(body)),
            Err(error) => to_response(problem_response(&internal(&error.to_string()))),
        }
    }

    /// Sends what is due.
    async fn alarm(&self) -> Result<Response> {
        match self.send_due().await {
            Ok(()) => Response::empty(),
            Err(problem) => Err(problem.message.into()),
        }
    }
}

impl DirectoryObject {
    async fn answer(&self, ask: Ask) -> Wire {
        let is_report = matches!(ask, Ask::Report { .. });
        let answer = self.apply(ask).await?;
        if is_report {
            self.set_alarm().await?;
        }
        Ok(answer)
    }

    async fn apply(&self, ask: Ask) -> Wire {
        let now = Now {
            at: moment_now(),
            random: random()?,
        };
        let outcome = caught(self.directory.apply(ask, now)).await?;
        outcome.map_err(|error| {
            let problem = error.problem();
            if problem.status >= 500 {
                console_warn!("directory: {}: {error}", problem.code);
            }
            problem
        })
    }

    async fn send_due(&self) -> std::result::Result<(), Problem> {
        let ask = Ask::Due { limit: AT_A_TIME };
        let Answer::Due { deliveries, .. } = self.apply(ask).await? else {
            return Err(internal("a directory did not say what is due"));
        };
        let sending = deliveries.into_iter().map(|delivery| async move {
            let delivered = send(&delivery).await;
            let id = delivery.id;
            self.apply(Ask::Delivered { id, delivered }).await
        });
        let sent: Vec<Wire> = stream::iter(sending)
            .buffer_unordered(TOGETHER)
            .collect()
            .await;
        for outcome in sent {
            outcome?;
        }
        self.set_alarm().await
    }

    /// Has the alarm ring when the next delivery is due.
    async fn set_alarm(&self) -> std::result::Result<(), Problem> {
        let Answer::Due { deliveries, next } = self.apply(Ask::Due { limit: 1 }).await? else {
            return Err(internal("a directory did not say what is due"));
        };
        let due = match deliveries.is_empty() {
            true => next,
            false => Some(moment_now()),
        };
        let Some(due) = due else { return Ok(()) };
        let date = js_sys::Date::new(&JsValue::from_f64(due.as_millis() as f64));
        let storage = self.state.storage();
        let set = storage.set_alarm(worker::ScheduledTime::new(date)).await;
        set.map_err(|error| internal(&error.to_string()))
    }
}

/// Tells one receiver; whether it said that it heard.
async fn send(delivery: &Delivery) -> bool {
    let sent = async {
        let body = delivery.body.to_string();
        let signed = signature(&delivery.secret, moment_now(), body.as_bytes());
        let headers = Headers::new();
        headers.set("content-type", "application/json")?;
        headers.set("user-agent", concat!("edgemem/", env!("CARGO_PKG_VERSION")))?;
        headers.set("x-edgemem-delivery", &delivery.id)?;
        headers.set(SIGNATURE, &signed)?;
        let mut init = RequestInit::new();
        // A redirect could lead to where a webhook may not.
        init.with_method(Method::Post)
            .with_headers(headers)
            .with_redirect(RequestRedirect::Manual)
            .with_body(Some(JsValue::from_str(&body)));
        let request = Request::new_with_init(&delivery.url, &init)?;
        let abort = AbortController::default();
        let signal = abort.signal();
        let fetch = Fetch::Request(request);
        let answer = pin!(fetch.send_with_signal(&signal));
        let late = pin!(Delay::from(Duration::from_millis(TIMEOUT_MS)));
        match select(answer, late).await {
            Either::Left((answer, _)) => Ok((200..300).contains(&answer?.status_code())),
            Either::Right(((), _)) => {
                abort.abort();
                Ok(false)
            }
        }
    };
    let outcome: Result<bool> = sent.await;
    outcome.unwrap_or(false)
}

/// Bits that nobody can guess, as secrets are made of them: unlike a space's, which only tell ids apart.
fn random() -> std::result::Result<[u8; 32], Problem> {
    let bytes = js_sys::Uint8Array::new_with_length(32);
    get_random_values(&bytes).map_err(|_| internal("the runtime gives no random bits"))?;
    let mut taken = [0; 32];
    bytes.copy_to(&mut taken);
    Ok(taken)
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(into: &js_sys::Uint8Array) -> std::result::Result<JsValue, JsValue>;
}
