//! One add from its messages to memories: the three phases over the space's state and models.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Host, Space, SpaceError};
use crate::memory::{EventStatus, Fact, Id, Memory, Message, Moment, OwnerKind};
use crate::model::ChatModel;
use crate::pipeline::extract::{Extraction, Gathered, extract};
use crate::pipeline::graph::{Likeness, doubtful_names};
use crate::pipeline::recall::embedded_texts;
use crate::pipeline::store::store;
use crate::pipeline::update::{Candidate, Decision, update};
use crate::store::Changes;
use crate::store::records::{AddWork, Job, Work};

/// Messages and characters that one extraction works on.
const BATCH_MESSAGES: usize = 40;
const BATCH_CHARS: usize = 40_000;

/// Earlier messages that extraction sees.
const EARLIER: usize = 10;

/// Known memories that extraction sees.
const RELATED: usize = 10;

/// Vectors of texts.
type Vectors = HashMap<String, Vec<f32>>;

/// What cannot be read completely leaves this note on the event.
const INCOMPLETE: &str = "The model's reply was cut off or partly unreadable: what could be read was \
                          stored, and the messages are kept.";

impl<H: Host> Space<H> {
    /// Works on one add: reads its files, indexes its messages, then extracts, decides and stores, a batch a commit.
    pub(super) async fn run_add(&self, job: &Job, work: &AddWork) -> Result<(), SpaceError> {
        let read = self.serve_files(job, work).await;
        self.embed_missing().await?;
        let mut work = read?;
        let chat = match (&self.models.chat, work.infer) {
            (Some(chat), true) => Rc::clone(chat),
            _ => return self.finish_add(job.key()).await,
        };
        loop {
            let (batch, rest) = self.next_batch(&work.messages);
            if !batch.is_empty() {
                self.check_budget()?;
            }
            let extraction = match work.extracted.take() {
                Some(facts) => Extraction {
                    facts,
                    incomplete: false,
                },
                None if batch.is_empty() => Extraction::default(),
                None => self.extract_batch(&*chat, &work, &batch).await?,
            };
            let note = extraction.incomplete.then(|| INCOMPLETE.to_owned());
            let decided = self.decide(&*chat, &extraction.facts).await;
            let (decisions, vectors, likeness) = match decided {
                Ok(decided) => decided,
                Err(SpaceError::Model(error)) => {
                    self.keep_extracted(&job.key(), extraction.facts).await?;
                    return Err(SpaceError::Model(error));
                }
                Err(error) => return Err(error),
            };
            let done = rest.is_empty();
            work.messages = rest;
            self.store_batch(
                job.key(),
                &work,
                &extraction.facts,
                &decisions,
                (&vectors, &likeness),
                note,
            )
            .await?;
            if done {
                return Ok(());
            }
        }
    }

    /// The messages of the next extraction, and those after them.
    fn next_batch(&self, messages: &[Id]) -> (Vec<(Id, Message, Moment)>, Vec<Id>) {
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let mut batch = Vec::new();
        let mut chars = 0;
        let mut taken = 0;
        for id in messages {
            let found = known.memory(id);
            if let Some(message) = found.and_then(|memory| memory.message()) {
                chars += message.content.len();
                if !batch.is_empty() && (batch.len() == BATCH_MESSAGES || chars > BATCH_CHARS) {
                    break;
                }
                let time = message.time.unwrap_or_else(|| self.host.now());
                batch.push((*id, message, time));
            }
            taken += 1;
        }
        (batch, messages.iter().skip(taken).copied().collect())
    }

    async fn extract_batch(
        &self,
        chat: &dyn ChatModel,
        work: &AddWork,
        batch: &[(Id, Message, Moment)],
    ) -> Result<Extraction, SpaceError> {
        let text: String = batch
            .iter()
            .flat_map(|(_, message, _)| [message.content.as_str(), "\n"])
            .collect();
        let vectors = self.models.embed(std::slice::from_ref(&text)).await?;
        let (earlier, summary, related) = {
            let state = self.state.borrow();
            let known = self.view(&state).known;
            let first = batch.first().map(|(id, ..)| *id);
            let mut earlier: Vec<Message> = known
                .conversation(&work.scope)
                .rev()
                .filter(|message| first.is_none_or(|first| *message < first))
                .take(EARLIER)
                .filter_map(|id| known.memory(&id)?.message())
                .collect();
            earlier.reverse();
            let summary = state.summaries.get(&work.scope.conversation());
            let vector = vectors.first().map(Vec::as_slice);
            let near = state.index.related(&text, vector, RELATED, known)?;
            let related: Vec<Rc<Memory>> = near.iter().filter_map(|id| known.memory(id)).collect();
            known.check()?;
            (
                earlier,
                summary.map(|summary| summary.text.clone()),
                related,
            )
        };
        let owner = work.scope.owner()?;
        let of_agent = owner.kind == OwnerKind::Agent;
        let project = Rc::clone(&self.project.borrow());
        let agents = project.agent_instructions.as_deref().filter(|_| of_agent);
        let gathered = Gathered {
            messages: batch.to_vec(),
            earlier,
            summary,
            related: related.iter().map(|memory| &**memory).collect(),
            categories: match work.categories.is_empty() {
                true => &project.categories,
                false => &work.categories,
            },
            instructions: work
                .instructions
                .as_deref()
                .or(agents)
                .or(project.instructions.as_deref()),
            includes: work.includes.as_deref().or(project.includes.as_deref()),
            excludes: work.excludes.as_deref().or(project.excludes.as_deref()),
            of_agent,
            structured_data_schema: work.structured_data_schema.as_ref(),
        };
        Ok(extract(chat, &gathered).await?)
    }

    /// Phase 2, on a snapshot; and the vectors of every text that may be stored, and of names that could be other
    /// spellings of known ones.
    async fn decide(
        &self,
        chat: &dyn ChatModel,
        facts: &[Fact],
    ) -> Result<(Vec<Decision>, Vectors, Likeness), SpaceError> {
        let mut vectors = HashMap::new();
        let names = doubtful_names(facts, self.state.borrow().knowledge.graph());
        let mut texts: Vec<String> = facts.iter().map(|fact| fact.text.clone()).collect();
        texts.extend(facts.iter().filter_map(|fact| fact.applies_when.clone()));
        texts.extend(names.iter().cloned());
        self.embed_texts(texts, &mut vectors).await?;
        let vector_of = |name: String| Some((name.clone(), vectors.get(&name)?.clone()));
        let likeness = Likeness(names.into_iter().filter_map(vector_of).collect());
        let snapshot: Vec<(Option<Id>, Vec<Rc<Memory>>)> = {
            let state = self.state.borrow();
            let known = self.view(&state).known;
            let look_up = |fact: &Fact| {
                let duplicate = known.duplicates_of(&fact.text).next();
                let vector = vectors.get(&fact.text).map(Vec::as_slice);
                let near = state.index.neighbours(fact, vector, known)?;
                let near = near.iter().filter_map(|id| known.memory(id));
                Ok((duplicate, near.collect()))
            };
            let found = facts.iter().map(look_up);
            let found = found.collect::<Result<_, SpaceError>>()?;
            known.check()?;
            found
        };
        let candidates: Vec<Candidate<'_>> = facts
            .iter()
            .zip(&snapshot)
            .map(|(fact, (duplicate, near))| Candidate {
                fact,
                duplicate: *duplicate,
                neighbours: near.iter().map(|memory| &**memory).collect(),
            })
            .collect();
        let decisions = update(chat, &candidates).await?;
        let rewritten = decisions.iter().filter_map(|decision| match decision {
            Decision::Update { text, .. } => Some(text.clone()),
            _ => None,
        });
        self.embed_texts(rewritten.collect(), &mut vectors).await?;
        Ok((decisions, vectors, likeness))
    }

    async fn embed_texts(
        &self,
        mut texts: Vec<String>,
        vectors: &mut Vectors,
    ) -> Result<(), SpaceError> {
        texts.retain(|text| !vectors.contains_key(text));
        if !texts.is_empty() {
            let embedded = self.models.embed(&texts).await?;
            vectors.extend(texts.into_iter().zip(embedded));
        }
        Ok(())
    }

    /// Phase 3: one commit, which also says how far the job is. It does nothing when the job is gone:
    /// done by another run, or erased with its messages.
    async fn store_batch(
        &self,
        key: String,
        work: &AddWork,
        facts: &[Fact],
        decisions: &[Decision],
        (vectors, likeness): (&Vectors, &Likeness),
        note: Option<String>,
    ) -> Result<(), SpaceError> {
        let now = self.host.now();
        let event = self.event_record(&work.event).await?;
        self.commit(|state, mint| {
            let Some(job) = state.jobs.get(&key) else {
                return Ok((Changes::default(), ()));
            };
            // What was said in a message that was erased meanwhile is not stored.
            let is_kept = |fact: &Fact| {
                fact.sources
                    .iter()
                    .all(|id| state.knowledge.card(id).is_some())
            };
            let decisions: Vec<Decision> = decisions
                .iter()
                .filter(|decision| facts.get(decision.fact()).is_some_and(is_kept))
                .cloned()
                .collect();
            let mut stored = store(state.known, work, facts, &decisions, likeness, now, mint);
            for memory in &stored.changes.memories {
                let texts = embedded_texts(memory, memory.text()).into_iter();
                let known = texts.map_while(|text| vectors.get(&text).cloned());
                let known: Vec<Vec<f32>> = known.collect();
                if !known.is_empty() {
                    stored.changes.vectors.push((memory.id, known));
                }
            }
            let mut event = event;
            event.outcomes.extend(stored.outcomes);
            event.relations.extend(stored.relations);
            event.updated_at = now;
            event.attempts = job.attempts + 1;
            event.note = note.or(event.note);
            let mut changes = stored.changes;
            if work.messages.is_empty() {
                event.status = EventStatus::Succeeded;
                event.error = None;
                event.retry_at = None;
                changes.jobs_done.push(key);
                changes.jobs.extend(state.summary_due(&work.scope, now));
            } else {
                let mut job = job.clone();
                job.work = Work::Add(Box::new(work.clone()));
                changes.jobs.push(job);
            }
            changes.events.push(event);
            Ok((changes, ()))
        })
        .await
    }
}
