//! Sending a request until it is answered, within reason.

use jiff::civil::DateTime;
use serde_json::Value;

use super::endpoint::Endpoint;
use crate::compact::{decimal, from_json, to_json};
use crate::memory::{MONTHS, Moment};
use crate::model::{Http, HttpError, ModelError, Response};

/// The longest that one call waits between attempts, all waits together, in milliseconds. A
/// service that asks for more is asked again by the job, later.
const MAX_WAIT_MS: u64 = 30_000;

/// The first wait and the longest single one, in milliseconds.
const BACKOFF_MS: (u64, u64) = (500, 8_000);

/// How much of a service's answer goes into an error, in characters.
const MAX_REASON: usize = 300;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The service refused the request as it is; another form of it may do.
    Refused {
        /// 400 to 499, or 501.
        status: u16,
        /// What it said, whole.
        body: String,
    },
    /// The end.
    Final(ModelError),
}

/// What went wrong with one attempt.
struct Attempt {
    failure: Failure,
    /// Whether the same request may succeed soon.
    retry: bool,
    /// How long the service wants us to wait, in milliseconds.
    wait_ms: Option<u64>,
}

/// One model at one endpoint.
pub(super) struct Line<'a> {
    pub(super) http: &'a dyn Http,
    pub(super) endpoint: &'a Endpoint,
    /// How errors name the model.
    pub(super) model: &'a str,
}

impl Line<'_> {
    /// Posts JSON and reads JSON. Tries again with exponential back-off, spread by chance, after
    /// HTTP 408, 409, 429 and 5xx, broken connections and unreadable bodies; once after a
    /// time-out, because each takes so long. `Retry-After` takes the place of the back-off.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let body = to_json(body).into_bytes();
        let mut waited_ms = 0;
        let mut attempt = 0;
        loop {
            let Attempt {
                failure,
                retry,
                wait_ms,
            } = match self.attempt(path, body.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let timed_out = matches!(failure, Failure::Final(ModelError::Timeout { .. }));
            let left = if timed_out {
                self.endpoint.max_retries().min(1)
            } else {
                self.endpoint.max_retries()
            };
            if !retry || attempt >= left {
                return Err(failure);
            }
            let wait_ms = wait_ms.unwrap_or_else(|| backoff_ms(attempt, self.http.jitter()));
            if wait_ms > MAX_WAIT_MS.saturating_sub(waited_ms) {
                return Err(failure);
            }
            self.http.sleep(wait_ms).await;
            waited_ms += wait_ms;
            attempt += 1;
        }
    }

    async fn attempt(&self, path: &str, body: Vec<u8>) -> Result<Value, Attempt> {
        let model = || self.model.to_owned();
        let again = |error| Attempt {
            failure: Failure::Final(error),
            retry: true,
            wait_ms: None,
        };
        let request = self.endpoint.post(path, body);
        let response = self
            .http
            .send(request, self.endpoint.timeout_ms())
            .await
            .map_err(|error| match error {
                HttpError::Timeout => again(ModelError::Timeout {
                    model: model(),
                    seconds: self.endpoint.timeout_ms().div_ceil(1000),
                }),
                error @ (HttpError::Failed(_) | HttpError::TooLarge) => {
                    again(ModelError::Unreachable {
                        model: model(),
                        reason: self.endpoint.scrub(&error.to_string()),
                    })
                }
            })?;
        self.judge(response)
    }

    fn judge(&self, response: Response) -> Result<Value, Attempt> {
        let answer = serde_json::from_slice::<Value>(&response.body);
        let text = || {
            let text = String::from_utf8_lossy(&response.body);
            self.endpoint.scrub(&text)
        };
        let mut status = response.status;
        if (200..300).contains(&status) {
            match answer {
                // Some gateways say 200 to everything and put the error inside.
                Ok(answer) if answer.get("error").is_some_and(|error| !error.is_null()) => {
                    status = status_inside(&answer).unwrap_or(502);
                }
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    let reason =
                        format!("HTTP {status} without JSON ({error}): {}", shorten(&text()));
                    let error = ModelError::Unreadable {
                        model: self.model.to_owned(),
                        reason,
                    };
                    return Err(Attempt {
                        failure: Failure::Final(error),
                        retry: true,
                        wait_ms: None,
                    });
                }
            }
        }
        let wait_ms = retry_after_ms(&response);
        let model = self.model.to_owned();
        let failure = match status {
            429 => Failure::Final(ModelError::RateLimited {
                model,
                retry_after_ms: wait_ms,
            }),
            400..=499 | 501 if !matches!(status, 408 | 409) => Failure::Refused {
                status,
                body: text(),
            },
            // A redirect that the host did not follow counts as a wrong address.
            300..=399 => Failure::Final(ModelError::Rejected {
                model,
                status,
                reason: reason(&text()),
            }),
            _ => Failure::Final(ModelError::Unavailable {
                model,
                status,
                reason: reason(&text()),
            }),
        };
        let retry = matches!(status, 408 | 409 | 429 | 500 | 502..);
        Err(Attempt {
            failure,
            retry,
            wait_ms,
        })
    }
}

/// The end of a request that the service refused in every form.
pub(super) fn rejected(model: &str, status: u16, body: &str) -> ModelError {
    ModelError::Rejected {
        model: model.to_owned(),
        status,
        reason: reason(body),
    }
}

/// What a service says is wrong, in one line.
fn reason(body: &str) -> String {
    let json = from_json::<Value>(body).unwrap_or_default();
    let said = [
        "/error/message",
        "/error",
        "/message",
        "/detail",
        "/errors/0/message",
        "/0/error/message",
    ]
    .iter()
    .find_map(|path| json.pointer(path).and_then(Value::as_str));
    shorten(said.unwrap_or(body))
}

/// The start of a text, in one line.
fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut characters = line.chars();
    let start: String = characters.by_ref().take(MAX_REASON).collect();
    if characters.next().is_some() {
        format!("{start}…")
    } else {
        start
    }
}

/// The status of an error inside an answer that claims success.
fn status_inside(answer: &Value) -> Option<u16> {
    let code = ["/error/code", "/error/status", "/error/status_code"]
        .iter()
        .find_map(|path| {
            let code = answer.pointer(path)?;
            code.as_u64().or_else(|| code.as_str()?.parse().ok())
        })?;
    u16::try_from(code)
        .ok()
        .filter(|code| (400..600).contains(code))
}

/// How long the service asks us to wait, in milliseconds: `retry-after-ms`, or `Retry-After` in
/// seconds or as a date, which is compared with the answer's own `Date` (RFC 9110, 10.2.3).
fn retry_after_ms(response: &Response) -> Option<u64> {
    let text = |name: &str| response.header(name).map(str::trim);
    let number = |text: &str, scale: f64| {
        decimal(text)
            .filter(|number| number.is_finite() && *number >= 0.0)
            .map(|number| (number * scale).ceil() as u64)
    };
    if let Some(ms) = text("retry-after-ms").and_then(|ms| number(ms, 1.0)) {
        return Some(ms);
    }
    let after = text("retry-after")?;
    number(after, 1000.0).or_else(|| {
        let date = |text: &str| http_date(text).map(Moment::as_millis);
        let wait = date(after)?.saturating_sub(date(text("date")?)?);
        Some(u64::try_from(wait).unwrap_or(0))
    })
}

/// A time as HTTP writes it, always of UTC: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Moment> {
    let mut words = text.split_ascii_whitespace().skip(1);
    let day = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS
        .iter()
        .zip(1..)
        .find(|(name, _)| name.get(..3) == Some(month))?;
    let year = words.next()?.parse().ok()?;
    let mut clock = words.next()?.splitn(3, ':').map(str::parse);
    let mut number = || clock.next()?.ok();
    let (hour, minute, second) = (number()?, number()?, number()?);
    let time = DateTime::new(year, month.1, day, hour, minute, second, 0);
    time.ok().map(Moment::from_civil)
}

/// The wait before trying again for the `attempt`-th time (from 0): it doubles each time, and
/// `chance` in `0.0..1.0` spreads it between half and one and a half of that.
fn backoff_ms(attempt: u32, chance: f64) -> u64 {
    let (first, longest) = BACKOFF_MS;
    let full = first.saturating_mul(1 << attempt.min(10)).min(longest);
    (full as f64 * (0.5 + chance.clamp(0.0, 1.0))) as u64
}
