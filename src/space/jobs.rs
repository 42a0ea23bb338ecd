//! Running jobs, in order, and trying again what failed. Each step is one commit, so that a crash anywhere
//! resumes after the last one, and nothing is done twice.

use super::{Host, Space, SpaceError};
use crate::memory::{EventStatus, Fact, Id, Memory, Message, Moment, Problem, Scope};
use crate::model::ModelError;
use crate::operation::Reply;
use crate::pipeline::recall::embedded_texts;
use crate::pipeline::summary::{self, summarise};
use crate::store::records::{EventRecord, Job, SpaceRecord, SummaryRecord, Work, decode};
use crate::store::{Changes, Storage, Table};

/// Texts embedded and stored at a time, or a few more: a memory's passages go together.
const EMBED_BATCH: usize = 64;

/// Tries of one job before it is given up.
pub(super) const MAX_ATTEMPTS: u32 = 8;

/// What a memory's vectors are made of.
fn texts_of(memory: &Memory) -> Vec<String> {
    embedded_texts(memory, memory.text())
}

/// When a job is tried again.
struct Retry {
    /// How often it was tried.
    attempts: u32,
    /// `None` when it is given up.
    at: Option<Moment>,
}

impl<H: Host> Space<H> {
    /// Runs every job that is due, in the order of acceptance; or those up to and with the job of one
    /// event, which is run whether it is due or not.
    pub(super) async fn run_jobs(&self, event: Option<Id>) -> Result<Reply, SpaceError> {
        let _turn = self.jobs.lock().await;
        let wanted = event.map(|id| id.to_string());
        let mut ran: Vec<String> = Vec::new();
        loop {
            let now = self.host.now();
            let next = {
                let state = self.state.borrow();
                let mut jobs = state.jobs.iter();
                jobs.find(|(key, job)| {
                    let asked = wanted.as_ref() == Some(*key);
                    let due =
                        job.due_at <= now && wanted.as_ref().is_none_or(|wanted| *key < wanted);
                    (asked || due) && !ran.contains(key)
                })
                .map(|(key, job)| (key.clone(), job.clone()))
            };
            let Some((key, job)) = next else { break };
            ran.push(key);
            self.run(job).await?;
        }
        let expired = self.state.borrow().to_purge(self.host.now());
        if !expired.is_empty() {
            self.erase(expired).await?;
        }
        Ok(Reply::Ran {
            next_due: self.next_due(),
        })
    }

    pub(super) async fn run(&self, job: Job) -> Result<(), SpaceError> {
        let result = match &job.work {
            Work::Add(work) => {
                self.running.borrow_mut().insert(work.event);
                let result = self.run_add(&job, work).await;
                self.running.borrow_mut().remove(&work.event);
                result
            }
            Work::Summarise { scope } => {
                let conversation = scope.conversation();
                self.run_summary(&job, &conversation).await
            }
            Work::Export { id } => self.serve_export(&job, *id).await,
            Work::Embed => match self.embed_missing().await {
                Ok(()) => self.finish_job(job.key()).await,
                Err(error) => Err(error),
            },
        };
        match result {
            Err(error @ SpaceError::OverBudget { until }) => {
                let retry = Retry {
                    attempts: job.attempts,
                    at: Some(until),
                };
                self.reschedule(job, retry, error.problem()).await
            }
            Err(SpaceError::Model(error)) => self.postpone(job, &error).await,
            Err(SpaceError::File(error)) => {
                let problem = SpaceError::File(error).problem();
                self.postpone_for(job, problem, 0).await
            }
            Err(SpaceError::Vector(error)) => {
                let error = ModelError::Unreadable {
                    model: self.models.embedder.name().to_owned(),
                    reason: error.to_string(),
                };
                self.postpone(job, &error).await
            }
            other => other,
        }
    }

    /// Ends an add that has nothing to extract.
    pub(super) async fn finish_add(&self, key: String) -> Result<(), SpaceError> {
        let Ok(id) = key.parse::<Id>() else {
            return Ok(());
        };
        let now = self.host.now();
        let event = self.event_record(&id).await?;
        self.commit(|state, _| {
            let Some(job) = state.jobs.get(&key) else {
                return Ok((Changes::default(), ()));
            };
            let mut event = event;
            event.status = EventStatus::Succeeded;
            event.updated_at = now;
            event.attempts = job.attempts + 1;
            event.error = None;
            event.retry_at = None;
            let changes = Changes {
                events: vec![event],
                jobs_done: vec![key],
                ..Changes::default()
            };
            Ok((changes, ()))
        })
        .await
    }

    /// Keeps what was extracted, so that the next try asks only for the decisions.
    pub(super) async fn keep_extracted(
        &self,
        key: &str,
        facts: Vec<Fact>,
    ) -> Result<(), SpaceError> {
        self.commit(|state, _| {
            let mut changes = Changes::default();
            if let Some(mut job) = state.jobs.get(key).cloned() {
                if let Work::Add(work) = &mut job.work {
                    work.extracted = Some(facts);
                }
                changes.jobs.push(job);
            }
            Ok((changes, ()))
        })
        .await
    }

    /// After a model failed: try again later, or give up. The messages are kept either way; given up,
    /// they are listed, as nothing else stands for them.
    async fn postpone(&self, job: Job, error: &ModelError) -> Result<(), SpaceError> {
        let least = match error {
            ModelError::RateLimited {
                retry_after_ms: Some(ms),
                ..
            } => *ms,
            _ => 0,
        };
        let problem = Problem::new(502, error.code(), error.to_string());
        self.postpone_for(job, problem, least).await
    }

    /// The same, at least for so many milliseconds.
    async fn postpone_for(
        &self,
        job: Job,
        problem: Problem,
        least_ms: u64,
    ) -> Result<(), SpaceError> {
        let attempts = job.attempts + 1;
        let wait = backoff_ms(attempts).max(least_ms);
        let wait = i64::try_from(wait).unwrap_or(i64::MAX);
        let at = self.host.now().plus_millis(wait);
        // Vectors are made anew until they are made.
        let given_up = attempts >= MAX_ATTEMPTS && !matches!(job.work, Work::Embed);
        let retry = Retry {
            attempts,
            at: (!given_up).then_some(at),
        };
        self.reschedule(job, retry, problem).await
    }

    /// Has a job wait, or gives it up, and says why in its event.
    async fn reschedule(&self, job: Job, retry: Retry, problem: Problem) -> Result<(), SpaceError> {
        let now = self.host.now();
        let event = match &job.work {
            Work::Add(work) => Some(self.event_record(&work.event).await?),
            _ => None,
        };
        if let Work::Export { id } = &job.work {
            let given_up = retry.at.is_none();
            self.serve_failed_export(*id, given_up, &problem).await?;
        }
        self.commit(|state, _| {
            let key = job.key();
            let Some(mut job) = state.jobs.get(&key).cloned() else {
                return Ok((Changes::default(), ()));
            };
            let mut changes = Changes::default();
            if let Some(mut event) = event {
                event.updated_at = now;
                event.attempts = retry.attempts;
                event.error = Some(problem);
                event.retry_at = retry.at;
                event.status = match retry.at {
                    Some(_) => EventStatus::Pending,
                    None => EventStatus::Failed,
                };
                changes.events.push(event);
            }
            match (retry.at, &job.work) {
                (Some(at), _) => {
                    job.attempts = retry.attempts;
                    job.due_at = at;
                    changes.jobs.push(job);
                }
                (None, Work::Add(work)) => {
                    let messages = work.messages.iter().filter_map(|id| state.known.memory(id));
                    changes.memories.extend(messages.map(|message| Memory {
                        transcript: false,
                        ..(*message).clone()
                    }));
                    changes.jobs_done.push(key);
                }
                (None, _) => changes.jobs_done.push(key),
            }
            Ok((changes, ()))
        })
        .await
    }

    /// Embeds and indexes every memory that has no vector yet, a batch a commit.
    pub(super) async fn embed_missing(&self) -> Result<(), SpaceError> {
        let embedder = self.models.embedder.name().to_owned();
        if self.state.borrow().has_stale_vectors() {
            self.commit(|state, _| {
                let space = state.record().cloned().map(|record| SpaceRecord {
                    embedder: Some(embedder),
                    ..record
                });
                let changes = Changes {
                    space,
                    drop_vectors: true,
                    jobs: state.jobs.get("embed").cloned().into_iter().collect(),
                    ..Changes::default()
                };
                Ok((changes, ()))
            })
            .await?;
        }
        loop {
            let batch: Vec<(Id, Vec<String>)> = {
                let state = self.state.borrow();
                let missing = state.unembedded();
                let known = self.view(&state).known;
                let memories = missing.filter_map(|id| known.memory(&id));
                let mut size = 0;
                let batch = memories
                    .map(|memory| (memory.id, texts_of(&memory)))
                    .take_while(|(_, texts)| {
                        let fits = size < EMBED_BATCH;
                        size += texts.len();
                        fits
                    })
                    .collect();
                known.check()?;
                batch
            };
            if batch.is_empty() {
                return Ok(());
            }
            let texts: Vec<String> = batch.iter().flat_map(|(_, texts)| texts.clone()).collect();
            let mut vectors = self.models.embed(&texts).await?.into_iter();
            self.commit(|state, _| {
                let mut changes = Changes::default();
                for (id, texts) in batch {
                    let vectors = vectors.by_ref().take(texts.len()).collect();
                    let memory = state.known.memory(&id);
                    if memory.is_some_and(|memory| texts_of(&memory) == texts) {
                        changes.vectors.push((id, vectors));
                    }
                }
                Ok((changes, ()))
            })
            .await?;
        }
    }

    async fn run_summary(&self, job: &Job, conversation: &str) -> Result<(), SpaceError> {
        let Some(chat) = self.models.chat.clone() else {
            return self.finish_job(job.key()).await;
        };
        let Work::Summarise { scope } = &job.work else {
            return Ok(());
        };
        let (earlier, ids, messages) = {
            let state = self.state.borrow();
            let earlier = state.summaries.get(conversation).cloned();
            let since = earlier.as_ref().map(|summary| summary.upto);
            let known = self.view(&state).known;
            let said = known.conversation(scope);
            let (ids, messages): (Vec<Id>, Vec<(Message, Moment)>) = said
                .filter(|id| since.is_none_or(|since| *id > since))
                .filter_map(|id| known.memory(&id))
                .filter_map(|memory| Some((memory.id, (memory.message()?, memory.created_at))))
                .unzip();
            known.check()?;
            (earlier, ids, messages)
        };
        let Some(upto) = ids.last().copied() else {
            return self.finish_job(job.key()).await;
        };
        self.check_budget()?;
        let before = earlier.as_ref().map(|summary| summary.text.as_str());
        let text = summarise(&*chat, before, &messages).await?;
        let now = self.host.now();
        self.commit(|state, _| {
            let mut changes = Changes {
                jobs_done: vec![job.key()],
                ..Changes::default()
            };
            // The text tells of a message that was erased meanwhile: make another.
            let erased = ids.iter().any(|id| state.knowledge.card(id).is_none());
            if erased || state.summaries.get(conversation) != earlier.as_ref() {
                changes.jobs_done.clear();
            } else {
                let earlier = earlier.map(SummaryRecord::into_versions);
                changes.summaries.push(SummaryRecord {
                    scope: scope.clone(),
                    text,
                    upto,
                    updated_at: now,
                    earlier: earlier.unwrap_or_default(),
                });
            }
            Ok((changes, ()))
        })
        .await
    }

    pub(super) async fn finish_job(&self, key: String) -> Result<(), SpaceError> {
        self.commit(|_, _| {
            let changes = Changes {
                jobs_done: vec![key],
                ..Changes::default()
            };
            Ok((changes, ()))
        })
        .await
    }

    pub(super) async fn event_record(&self, id: &Id) -> Result<EventRecord, SpaceError> {
        let key = id.to_string();
        match self.host.storage().get(Table::Events, &key).await? {
            Some(bytes) => Ok(decode(Table::Events, &key, &bytes)?),
            None => Err(SpaceError::NoSuchEvent(*id)),
        }
    }
}

impl super::State {
    /// The job that brings a conversation's summary up to date, when enough was said since.
    pub(super) fn summary_due(&self, scope: &Scope, now: Moment) -> Option<Job> {
        let since = self
            .summaries
            .get(&scope.conversation())
            .map(|summary| summary.upto);
        let messages = self.knowledge.conversation(scope).rev();
        let new = messages.take_while(|message| since.is_none_or(|since| *message > since));
        (new.count() >= summary::EVERY).then(|| Job {
            work: Work::Summarise {
                scope: scope.clone(),
            },
            attempts: 0,
            due_at: now,
        })
    }
}

/// The wait before the next try: 2 s, 8 s, 32 s, … up to 6 hours.
fn backoff_ms(attempts: u32) -> u64 {
    let wait = 2_000u64.saturating_mul(4u64.saturating_pow(attempts.saturating_sub(1)));
    wait.min(6 * 3_600_000)
}
