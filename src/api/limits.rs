//! How often a client may ask.
//!
//! Requests for the memory of one user (or other owner) are counted where it lives, and so exactly, in windows of a
//! minute, without asking anybody else. The count is in memory: it begins anew when the host moves the space.

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::memory::{Moment, Problem};

/// The variable with the number of requests a minute for one user's memory; unset or 0: as many as come.
pub const USER_LIMIT_VARIABLE: &str = "EDGEMEM_USER_REQUESTS_PER_MINUTE";

/// The length of a window, in milliseconds.
const WINDOW_MS: i64 = 60_000;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The headers that tell a client of its limit.
pub const LIMIT_HEADERS: [HeaderName; 4] = [LIMIT, REMAINING, RESET, RETRY_AFTER];

/// Reads the value of [`USER_LIMIT_VARIABLE`]; `None` when there is no limit.
///
/// # Errors
/// When it is no number.
pub fn read_limit(value: Option<&str>) -> Result<Option<u32>, String> {
    match value.map(str::trim) {
        None | Some("" | "0") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| {
            format!("{USER_LIMIT_VARIABLE} is {text:?}; write a whole number of requests, or 0 for no limit")
        }),
    }
}

/// Counts the requests of the current minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// Which minute.
    number: i64,
    asked: u32,
}

/// What is left of a limit after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    limit: u32,
    remaining: u32,
    /// Milliseconds until there are as many again.
    wait_ms: i64,
    /// When that is.
    reset: Moment,
    is_refused: bool,
}

impl Window {
    /// Counts a request.
    pub fn take(&mut self, limit: u32, now: Moment) -> Left {
        let number = now.as_millis().div_euclid(WINDOW_MS);
        if number != self.number {
            *self = Self { number, asked: 0 };
        }
        let is_refused = self.asked >= limit;
        if !is_refused {
            self.asked += 1;
        }
        let reset = Moment::from_millis((number + 1) * WINDOW_MS);
        Left {
            limit,
            remaining: limit - self.asked.min(limit),
            wait_ms: reset.as_millis() - now.as_millis(),
            reset,
            is_refused,
        }
    }
}

impl Left {
    /// Refuses a request that is one too many.
    ///
    /// # Errors
    /// 429.
    pub fn check(&self) -> Result<(), Problem> {
        match self.is_refused {
            false => Ok(()),
            true => Err(Problem::new(
                429,
                "rate_limited",
                format!(
                    "this user's memory is asked more than {} times a minute: try again in {} s",
                    self.limit,
                    self.seconds()
                ),
            )),
        }
    }

    /// What a client is told: the limit, what is left of it, and when it begins anew, in seconds since 1970; of a
    /// refusal also how long to wait, in seconds.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        let reset = self.reset.as_millis().div_euclid(1_000);
        headers.insert(RESET, HeaderValue::from(reset));
        if self.is_refused {
            headers.insert(RETRY_AFTER, HeaderValue::from(self.seconds()));
        }
        headers
    }

    fn seconds(&self) -> i64 {
        (self.wait_ms + 999) / 1_000
    }
}

/// The refusal of a key that asked too often, where the host counts: it says yes or no, and no more.
pub(super) fn key_limited() -> Problem {
    Problem::new(
        429,
        "rate_limited",
        "this key, or this user's token, asks too often: try again in a minute",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_requests_and_the_next_has_them_again() {
        let mut window = Window::default();
        let start = 1_800_000_000_000 / WINDOW_MS * WINDOW_MS;
        let mut take = |later: i64| {
            let left = window.take(2, Moment::from_millis(start + later));
            let headers = left.headers();
            let read = |name: HeaderName| -> Option<i64> {
                headers.get(name)?.to_str().unwrap().parse().ok()
            };
            assert_eq!(
                (read(LIMIT), left.check().is_err()),
                (Some(2), read(RETRY_AFTER).is_some())
            );
            let reset = read(RESET).unwrap() - start / 1_000;
            (read(REMAINING).unwrap(), reset, read(RETRY_AFTER))
        };
        assert_eq!(take(1), (1, 60, None));
        assert_eq!(take(2), (0, 60, None));
        assert_eq!(take(30_500), (0, 60, Some(30)));
        assert_eq!(take(59_999), (0, 60, Some(1)));
        assert_eq!(take(60_000), (1, 120, None));
    }

    #[test]
    fn a_limit_is_a_number() {
        for (value, limit) in [
            (None, None),
            (Some(" "), None),
            (Some("0"), None),
            (Some(" 60 "), Some(60)),
        ] {
            assert_eq!(read_limit(value), Ok(limit));
        }
        assert!(
            read_limit(Some("many"))
                .unwrap_err()
                .contains(USER_LIMIT_VARIABLE)
        );
    }
}
