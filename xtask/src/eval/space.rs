//! One conversation in a space of its own, in this process.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Instant;

use edgemem::memory::{Id, Memory, Moment, Scope};
use edgemem::model::{ChatModel, Embedder};
use edgemem::operation::{Add, Channel, Hit, List, Operation, Reply, Search, Transcript};
use edgemem::space::{Host, Models, Space};
use edgemem::store::MemoryStorage;
use futures_executor::block_on;
use serde_json::{Map, json};

use super::data::{Conversation, SpokenTurn};
use super::figures::Figures;
use super::given::GivenFacts;
use super::progress::Progress;
use super::{Failure, Mode, Options};

/// The most hits that a search answers: enough for the best of each channel to be among them.
const MOST_HITS: usize = 1000;

/// Stores one conversation in a space of its own and asks its questions.
pub fn evaluate(
    conversation: &Conversation,
    options: &Options,
    embedder: &Rc<dyn Embedder>,
    figures: &mut Figures,
    progress: &Progress,
) -> Result<(), Failure> {
    let scope = Scope::user(&conversation.id);
    let given = Rc::new(GivenFacts::default());
    let host = NativeHost::default();
    let models = Models {
        chat: (options.mode != Mode::Verbatim).then(|| Rc::clone(&given) as Rc<dyn ChatModel>),
        embedder: Rc::clone(embedder),
        reranker: None,
        files: None,
    };
    let hash = scope.owner()?.space_hash();
    let space = block_on(Space::open(host, models, hash))?;
    let apply = |operation| block_on(space.apply(operation)).map_err(|error| error.to_string());
    for session in &conversation.sessions {
        let time = session.moment()?;
        let of_session = conversation
            .facts
            .iter()
            .filter(|fact| fact.session == session.id);
        given.prepare(&session.turns, of_session.cloned().collect());
        let add = |turns: &[SpokenTurn], metadata| Add {
            scope: scope.clone(),
            messages: turns.iter().map(SpokenTurn::message).collect(),
            infer: true,
            metadata,
            time: Some(time),
            ..Add::default()
        };
        match options.mode {
            // One add a turn, so that each turn has its own metadata.
            Mode::Verbatim => {
                for turn in &session.turns {
                    let metadata = Map::from_iter([("turn".to_owned(), json!(turn.id))]);
                    let add = add(std::slice::from_ref(turn), metadata);
                    apply(Operation::Add(Box::new(add)))?;
                }
            }
            Mode::Facts | Mode::Both => {
                apply(Operation::Add(Box::new(add(&session.turns, Map::new()))))?;
            }
        }
        apply(Operation::RunJobs { event: None })?;
    }
    let turns = turns_by_message(&apply, conversation, options.mode)?;
    figures.memories += turns.len();
    for question in &conversation.questions {
        progress.step();
        if question.evidence.is_empty() {
            continue;
        }
        let search = |top_k| Search {
            query: question.question.clone(),
            top_k,
            threshold: 0.0,
            transcript: match options.mode {
                Mode::Facts => Transcript::Never,
                Mode::Verbatim | Mode::Both => Transcript::Always,
            },
            without: options.without.clone(),
            ..Search::default()
        };
        let ask = |top_k| match apply(Operation::Search(search(top_k)))? {
            Reply::Hits(hits) => Ok(hits),
            _ => Err("the search did not answer hits".to_owned()),
        };
        let turns_behind = |hits: &mut dyn Iterator<Item = &Hit>| -> Vec<BTreeSet<String>> {
            hits.map(|hit| turns.get(&hit.memory.id).cloned().unwrap_or_default())
                .collect()
        };
        let start = Instant::now();
        let hits = ask(options.top_k)?;
        figures.search_times.push(start.elapsed());
        let found = turns_behind(&mut hits.iter());
        figures.record(
            &conversation.id,
            &question.category,
            &question.evidence,
            &found,
        );
        if options.channels {
            let hits = ask(MOST_HITS)?;
            for channel in Channel::ALL.map(Channel::as_str) {
                let found = turns_behind(&mut found_by(channel, &hits).into_iter());
                figures.record_channel(channel, &question.category, &question.evidence, &found);
            }
        }
    }
    Ok(())
}

/// The hits that a channel found, in its own order, as their receipts tell.
fn found_by<'a>(channel: &str, hits: &'a [Hit]) -> Vec<&'a Hit> {
    let mut found: Vec<(usize, &Hit)> = hits
        .iter()
        .flat_map(|hit| {
            let channels = hit.receipt.channels.iter();
            let own = channels.filter(|score| score.channel == channel);
            own.map(move |score| (score.rank, hit))
        })
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, hit)| hit).collect()
}

/// The turns that stand behind each memory.
fn turns_by_message(
    apply: &impl Fn(Operation) -> Result<Reply, String>,
    conversation: &Conversation,
    mode: Mode,
) -> Result<HashMap<Id, BTreeSet<String>>, Failure> {
    let mut memories: Vec<Memory> = Vec::new();
    for page in 1.. {
        let list = List {
            page,
            page_size: 1000,
            transcript: true,
            ..List::default()
        };
        let Reply::Page {
            memories: found, ..
        } = apply(Operation::List(list))?
        else {
            break;
        };
        if found.is_empty() {
            break;
        }
        memories.extend(found);
    }
    if mode == Mode::Verbatim {
        let turn = |memory: &Memory| memory.metadata.get("turn")?.as_str().map(str::to_owned);
        let pairs = memories
            .iter()
            .filter_map(|m| Some((m.id, BTreeSet::from([turn(m)?]))));
        return Ok(pairs.collect());
    }
    let spoken = conversation
        .sessions
        .iter()
        .flat_map(|session| &session.turns);
    let spoken = spoken.filter(|turn| !turn.text.trim().is_empty());
    let mut ids: Vec<Id> = memories
        .iter()
        .filter(|m| m.message().is_some())
        .map(|m| m.id)
        .collect();
    ids.sort();
    let turn_of: HashMap<Id, String> = ids.into_iter().zip(spoken.map(|t| t.id.clone())).collect();
    let behind = |memory: &Memory| -> BTreeSet<String> {
        let sources = memory.versions.iter().flat_map(|version| &version.sources);
        sources
            .chain([&memory.id])
            .filter_map(|id| turn_of.get(id).cloned())
            .collect()
    };
    Ok(memories
        .iter()
        .map(|memory| (memory.id, behind(memory)))
        .collect())
}

/// Storage in memory, and a clock and random numbers that repeat.
#[derive(Default)]
struct NativeHost {
    storage: MemoryStorage,
    ticks: Cell<u64>,
}

impl Host for NativeHost {
    type Storage = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn now(&self) -> Moment {
        Moment::from_seconds(1_800_000_000)
    }

    fn random(&self) -> u64 {
        self.ticks.set(self.ticks.get() + 1);
        self.ticks.get()
    }
}
