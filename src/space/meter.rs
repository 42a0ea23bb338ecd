//! What the LLM costs this owner, a day at a time, and when it has cost enough for one.
//!
//! Each question is counted when it is answered, and stored with the commit that comes of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

use super::{Host, Models, Settings, Space, SpaceError};
use crate::memory::{Moment, Usage};
use crate::model::{ChatModel, ChatReply, ChatRequest, ModelError, Turn};
use crate::operation::Spent;
use crate::pipeline::context::tokens;
use crate::store::records::{UsageRecord, decode};
use crate::store::{Storage, Table, USAGE_KEY};

/// Days that are kept.
const DAYS: usize = 31;

const DAY_MS: i64 = 86_400_000;

/// What waits for the next day goes on within so long after its beginning, in milliseconds: not everybody's at once.
const SPREAD_MS: u64 = 600_000;

/// What calls cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cost {
    calls: u64,
    input: u64,
    output: u64,
    estimated: u64,
}

impl Cost {
    fn of(request: &ChatRequest, outcome: &Result<ChatReply, ModelError>) -> Self {
        let (said, reply) = match outcome {
            Ok(reply) => (reply.tokens, Some(reply)),
            // What reached no model cost nothing.
            Err(
                ModelError::Unreachable { .. }
                | ModelError::RateLimited { .. }
                | ModelError::Rejected { .. },
            ) => return Self::default(),
            Err(_) => (None, None),
        };
        if let Some(said) = said {
            return Self {
                calls: 1,
                input: said.input,
                output: said.output,
                estimated: 0,
            };
        }
        let turns = request.turns.iter().map(|turn| match turn {
            Turn::User(text) | Turn::Assistant(text) => tokens(text),
            Turn::Shown { text, file } => tokens(text) + file.tokens(),
        });
        let input = tokens(&request.system) + turns.sum::<usize>();
        let output = reply.map_or(0, |reply| {
            let calls = reply.tool_calls.iter();
            let calls = calls.map(|call| tokens(&call.name) + tokens(&call.arguments));
            tokens(&reply.content) + calls.sum::<usize>()
        });
        Self {
            calls: 1,
            input: input as u64,
            output: output as u64,
            estimated: 1,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            input: self.input + other.input,
            output: self.output + other.output,
            estimated: self.estimated + other.estimated,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(other.calls),
            input: self.input.saturating_sub(other.input),
            output: self.output.saturating_sub(other.output),
            estimated: self.estimated.saturating_sub(other.estimated),
        }
    }
}

/// A chat model whose answers are counted.
struct Metered {
    model: Rc<dyn ChatModel>,
    open: Rc<Cell<Cost>>,
}

impl ChatModel for Metered {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
    ) -> LocalBoxFuture<'a, Result<ChatReply, ModelError>> {
        Box::pin(async move {
            let outcome = self.model.chat(request).await;
            self.open
                .set(self.open.get().plus(Cost::of(request, &outcome)));
            outcome
        })
    }
}

/// Counts what the LLM costs.
#[derive(Default)]
pub(super) struct Meter {
    /// What was not stored yet, and what of it is being stored.
    open: Rc<Cell<Cost>>,
    taken: Cell<Cost>,
    stored: RefCell<UsageRecord>,
}

impl Meter {
    /// Reads what is stored.
    pub async fn load(storage: &impl Storage) -> Result<Self, SpaceError> {
        let found = storage.get(Table::Space, USAGE_KEY).await?;
        let read = found.map(|bytes| decode(Table::Space, USAGE_KEY, &bytes));
        let stored: Option<UsageRecord> = read.transpose()?;
        Ok(Self {
            stored: RefCell::new(stored.unwrap_or_default()),
            ..Self::default()
        })
    }

    /// The same models, counted.
    pub fn around(&self, models: Models) -> Models {
        let metered = |model| {
            let open = Rc::clone(&self.open);
            Rc::new(Metered { model, open }) as Rc<dyn ChatModel>
        };
        Models {
            chat: models.chat.map(metered),
            ..models
        }
    }

    /// What is to be stored with the next commit; nothing when nothing was asked since the last.
    pub fn to_store(&self, now: Moment) -> Option<UsageRecord> {
        let open = self.open.get();
        self.taken.set(open);
        let today = self.today(now);
        (open != Cost::default()).then(|| {
            let earlier = self.stored.borrow().days.clone().into_iter();
            let earlier = earlier.filter(|usage| usage.day != today.day);
            let mut days: Vec<Usage> = earlier.collect();
            days.push(today);
            days.drain(..days.len().saturating_sub(DAYS));
            UsageRecord { days }
        })
    }

    /// It was stored. What was answered meanwhile is still to be.
    pub fn store(&self, record: UsageRecord) {
        self.stored.replace(record);
        self.open.set(self.open.get().minus(self.taken.get()));
    }

    /// What was asked today.
    pub fn today(&self, now: Moment) -> Usage {
        let day = now.date();
        let stored = self.stored.borrow();
        let known = stored.days.iter().find(|usage| usage.day == day);
        let mut today = known.cloned().unwrap_or_default();
        let open = self.open.get();
        today.day = day;
        today.calls += open.calls;
        today.input_tokens += open.input;
        today.output_tokens += open.output;
        today.estimated += open.estimated;
        today
    }
}

impl<H: Host> Space<H> {
    /// Refuses to ask the LLM any more today, when the day's budget is spent.
    ///
    /// # Errors
    /// [`SpaceError::OverBudget`].
    pub(super) fn check_budget(&self) -> Result<(), SpaceError> {
        let settings = self.host.settings();
        if !H::SERVES || !is_limited(&settings) {
            return Ok(());
        }
        let now = self.host.now();
        let today = self.meter.today(now);
        let is_spent = |most: Option<u64>, spent: u64| most.is_some_and(|most| spent >= most);
        match is_spent(settings.daily_calls, today.calls)
            || is_spent(settings.daily_tokens, today.tokens())
        {
            true => Err(SpaceError::OverBudget {
                until: self.next_day(now),
            }),
            false => Ok(()),
        }
    }

    /// When what waits for the next day goes on.
    fn next_day(&self, now: Moment) -> Moment {
        let day = now.as_millis().div_euclid(DAY_MS) + 1;
        let late = self.hash.as_u64() % SPREAD_MS;
        Moment::from_millis(day * DAY_MS).plus_millis(i64::try_from(late).unwrap_or(0))
    }

    /// What the LLM cost, where that is counted.
    pub(super) fn spent(&self) -> Option<Spent> {
        let settings = self.host.settings();
        (H::SERVES && self.models.chat.is_some()).then(|| {
            let today = self.meter.today(self.host.now());
            let stored = self.meter.stored.borrow();
            let earlier = stored.days.iter().rev();
            let earlier = earlier.filter(|usage| usage.day != today.day).cloned();
            Spent {
                earlier: earlier.collect(),
                today,
                daily_calls: settings.daily_calls,
                daily_tokens: settings.daily_tokens,
            }
        })
    }
}

/// Whether a day has a budget.
fn is_limited(settings: &Settings) -> bool {
    settings.daily_calls.is_some() || settings.daily_tokens.is_some()
}
