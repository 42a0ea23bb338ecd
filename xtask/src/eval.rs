//! `cargo xtask eval`: how well recall finds the evidence of questions about long conversations.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use edgemem::memory::{Id, Memory, Message, Moment, Role, Scope};
use edgemem::model::builtin::StaticEmbedder;
use edgemem::model::{
    ChatModel, ChatReply, ChatRequest, Embedder, Finish, ModelError, Output, ToolCall, Turn,
};
use edgemem::operation::{Add, List, Operation, Reply, Search, Transcript};
use edgemem::space::{Host, Models, Space};
use edgemem::store::MemoryStorage;
use futures_executor::block_on;
use futures_util::future::{LocalBoxFuture, ready};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::eval_embedder;

/// How to use it.
pub const HELP: &str = "\
cargo xtask eval --data FILE [options]

  --data FILE           conversations with facts and questions, in the shape that CONTRIBUTING.md tells
  --mode MODE           verbatim (turns), facts (the given facts), both            [verbatim]
  --embedder WHICH      builtin, or the base URL of an OpenAI-compatible endpoint  [builtin]
  --top-k N             hits asked for, at least 20                                [20]
  --json                print one JSON object";

type Failure = Box<dyn std::error::Error>;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Verbatim,
    Facts,
    Both,
}

struct Options {
    data: PathBuf,
    mode: Mode,
    embedder: String,
    top_k: usize,
    json: bool,
}

#[derive(Deserialize)]
struct Conversation {
    id: String,
    sessions: Vec<Session>,
    facts: Vec<GivenFact>,
    questions: Vec<Question>,
}

#[derive(Deserialize)]
struct Session {
    id: String,
    time: String,
    turns: Vec<SpokenTurn>,
}

#[derive(Deserialize, Clone)]
struct SpokenTurn {
    id: String,
    speaker: String,
    role: String,
    text: String,
}

#[derive(Deserialize, Clone)]
struct GivenFact {
    text: String,
    session: String,
    evidence: Vec<String>,
}

#[derive(Deserialize)]
struct Question {
    question: String,
    category: String,
    evidence: Vec<String>,
}

/// Runs the evaluation and prints its figures.
///
/// # Errors
/// When an option or the data cannot be read, or a model fails.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = options(arguments)?;
    let text = std::fs::read_to_string(&options.data)
        .map_err(|error| format!("--data {}: {error}", options.data.display()))?;
    let conversations: Vec<Conversation> = serde_json::from_str(&text)
        .map_err(|error| format!("--data {}: {error}", options.data.display()))?;
    let embedder: Rc<dyn Embedder> = match options.embedder.as_str() {
        "builtin" => Rc::new(builtin()?),
        url => Rc::new(eval_embedder::remote(url)?),
    };
    let mut figures = Figures::default();
    let total: usize = conversations
        .iter()
        .map(|conversation| conversation.questions.len())
        .sum();
    let progress = Progress::new(total);
    for conversation in &conversations {
        evaluate(conversation, &options, &embedder, &mut figures, &progress)?;
    }
    progress.done();
    match options.json {
        true => println!("{}", figures.json()),
        false => figures.print(),
    }
    Ok(())
}

fn options(arguments: &[String]) -> Result<Options, Failure> {
    let mut options = Options {
        data: PathBuf::new(),
        mode: Mode::Verbatim,
        embedder: "builtin".into(),
        top_k: 20,
        json: false,
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or(format!("{argument} needs a value\n\n{HELP}"))
        };
        match argument.as_str() {
            "--data" => options.data = PathBuf::from(value()?),
            "--mode" => {
                options.mode = match value()?.as_str() {
                    "verbatim" => Mode::Verbatim,
                    "facts" => Mode::Facts,
                    "both" => Mode::Both,
                    other => {
                        return Err(
                            format!("--mode {other} is none of verbatim, facts, both").into()
                        );
                    }
                }
            }
            "--embedder" => options.embedder = value()?.clone(),
            "--top-k" => options.top_k = value()?.parse::<usize>()?.clamp(20, 1000),
            "--json" => options.json = true,
            "--help" | "-h" => return Err(HELP.into()),
            other => return Err(format!("unknown option {other}\n\n{HELP}").into()),
        }
    }
    match options.data.as_os_str().is_empty() {
        true => Err(format!("say which data to evaluate on\n\n{HELP}").into()),
        false => Ok(options),
    }
}

fn builtin() -> Result<StaticEmbedder, Failure> {
    let path = crate::project_root().join("models/builtin.bin");
    Ok(StaticEmbedder::from_bytes(std::fs::read(path)?)?)
}

/// Stores one conversation in a space of its own and asks its questions.
fn evaluate(
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
    };
    let hash = scope.owner()?.space_hash();
    let space = block_on(Space::open(host, models, hash))?;
    let apply = |operation| block_on(space.apply(operation)).map_err(|error| error.to_string());
    for session in &conversation.sessions {
        let time = session_time(&session.time)?;
        let of_session = conversation
            .facts
            .iter()
            .filter(|fact| fact.session == session.id);
        given.prepare(&session.turns, of_session.cloned().collect());
        let add = |turns: &[SpokenTurn], metadata| Add {
            scope: scope.clone(),
            messages: turns.iter().map(message).collect(),
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
        let search = Search {
            query: question.question.clone(),
            top_k: options.top_k,
            threshold: 0.0,
            transcript: match options.mode {
                Mode::Facts => Transcript::Never,
                Mode::Verbatim | Mode::Both => Transcript::Always,
            },
            ..Search::default()
        };
        let start = Instant::now();
        let reply = apply(Operation::Search(search))?;
        figures.search_times.push(start.elapsed());
        let Reply::Hits(hits) = reply else {
            return Err("the search did not answer hits".into());
        };
        let found: Vec<BTreeSet<String>> = hits
            .iter()
            .map(|hit| turns.get(&hit.memory.id).cloned().unwrap_or_default())
            .collect();
        figures.record(&question.category, &question.evidence, &found);
    }
    Ok(())
}

fn message(turn: &SpokenTurn) -> Message {
    Message {
        role: match turn.role.as_str() {
            "assistant" => Role::Assistant,
            _ => Role::User,
        },
        content: turn.text.clone(),
        name: Some(turn.speaker.clone()),
        time: None,
    }
}

/// `1:56 pm on 8 May, 2023`, or anything that a client may send.
fn session_time(text: &str) -> Result<Moment, Failure> {
    let spoken = jiff::civil::DateTime::strptime("%I:%M %p on %d %B, %Y", text.trim());
    match spoken {
        Ok(time) => Ok(time.to_string().parse()?),
        Err(_) => Ok(text.parse()?),
    }
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

/// In place of an LLM: answers the extraction with the facts that the data gives for the turns asked
/// about, and decides to add each.
#[derive(Default)]
struct GivenFacts {
    turns: RefCell<Vec<String>>,
    facts: RefCell<Vec<GivenFact>>,
}

impl GivenFacts {
    fn prepare(&self, turns: &[SpokenTurn], facts: Vec<GivenFact>) {
        let spoken = turns.iter().filter(|turn| !turn.text.trim().is_empty());
        *self.turns.borrow_mut() = spoken.map(|turn| turn.id.clone()).collect();
        *self.facts.borrow_mut() = facts;
    }

    /// The facts of the next `count` turns.
    fn extraction(&self, count: usize) -> Value {
        let mut turns = self.turns.borrow_mut();
        let taken = count.min(turns.len());
        let rest = turns.split_off(taken);
        let batch = std::mem::replace(&mut *turns, rest);
        let label = |id: &String| {
            batch
                .iter()
                .position(|turn| turn == id)
                .map(|place| place + 1)
        };
        let mut facts = Vec::new();
        for fact in self.facts.borrow().iter() {
            let sources: Vec<usize> = fact.evidence.iter().filter_map(label).collect();
            if !sources.is_empty() {
                facts.push(json!({"text": fact.text, "sources": sources}));
            }
        }
        json!({"facts": facts})
    }
}

impl ChatModel for GivenFacts {
    fn name(&self) -> &str {
        "the data's own facts"
    }

    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
    ) -> LocalBoxFuture<'a, Result<ChatReply, ModelError>> {
        let prompt = match request.turns.last() {
            Some(Turn::User(text) | Turn::Assistant(text)) => text.as_str(),
            None => "",
        };
        let labels = |section: &str| {
            let lines = prompt
                .rsplit_once(section)
                .map_or("", |(_, lines)| lines)
                .lines();
            lines.filter(|line| line.starts_with('[')).count()
        };
        let mut reply = ChatReply {
            content: String::new(),
            tool_calls: Vec::new(),
            finish: Finish::Done,
        };
        match &request.output {
            Output::Json { .. } => {
                reply.content = self.extraction(labels("## New messages\n")).to_string();
            }
            Output::Tools(_) => {
                reply.tool_calls = (1..=labels("## New facts\n"))
                    .map(|fact| ToolCall {
                        name: "add_memory".into(),
                        arguments: json!({"fact": fact}).to_string(),
                    })
                    .collect();
            }
            Output::Text => reply.content = "(none)".into(),
        }
        Box::pin(ready(Ok(reply)))
    }
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

/// Sums over questions.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    questions: usize,
    any5: f64,
    any10: f64,
    any20: f64,
    recall10: f64,
    recall20: f64,
    all20: f64,
    mrr: f64,
}

impl Sums {
    fn add(&mut self, gold: &BTreeSet<&str>, found: &[BTreeSet<String>]) {
        let covered = |k: usize| {
            let top: BTreeSet<&str> = found.iter().take(k).flatten().map(String::as_str).collect();
            gold.intersection(&top).count()
        };
        let share = |k: usize| covered(k) as f64 / gold.len() as f64;
        let yes = |holds: bool| f64::from(u8::from(holds));
        let first = found
            .iter()
            .position(|turns| turns.iter().any(|t| gold.contains(t.as_str())));
        self.questions += 1;
        self.any5 += yes(covered(5) > 0);
        self.any10 += yes(covered(10) > 0);
        self.any20 += yes(covered(20) > 0);
        self.recall10 += share(10);
        self.recall20 += share(20);
        self.all20 += yes(covered(20) == gold.len());
        self.mrr += first.map_or(0.0, |place| 1.0 / (place + 1) as f64);
    }

    fn figures(&self) -> [(&'static str, f64); 7] {
        let mean = |sum: f64| {
            let mean = sum / self.questions.max(1) as f64;
            (mean * 10_000.0).round() / 10_000.0
        };
        [
            ("any@5", mean(self.any5)),
            ("any@10", mean(self.any10)),
            ("any@20", mean(self.any20)),
            ("recall@10", mean(self.recall10)),
            ("recall@20", mean(self.recall20)),
            ("all@20", mean(self.all20)),
            ("mrr", mean(self.mrr)),
        ]
    }

    fn json(&self) -> Value {
        self.figures()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect()
    }
}

#[derive(Default)]
struct Figures {
    overall: Sums,
    categories: BTreeMap<String, Sums>,
    adversarial: Sums,
    memories: usize,
    search_times: Vec<Duration>,
}

impl Figures {
    fn record(&mut self, category: &str, evidence: &[String], found: &[BTreeSet<String>]) {
        let gold: BTreeSet<&str> = evidence.iter().map(String::as_str).collect();
        if category == "adversarial" {
            return self.adversarial.add(&gold, found);
        }
        self.overall.add(&gold, found);
        self.categories
            .entry(category.to_owned())
            .or_default()
            .add(&gold, found);
    }

    fn percentile(&self, share: f64) -> f64 {
        let mut times = self.search_times.clone();
        times.sort();
        let place = (times.len() as f64 * share) as usize;
        let time = times.get(place.min(times.len().saturating_sub(1)));
        time.map_or(0.0, |time| (time.as_secs_f64() * 1e6).round() / 1e3)
    }

    fn json(&self) -> Value {
        let categories: Map<String, Value> = self
            .categories
            .iter()
            .map(|(name, sums)| (name.clone(), sums.json()))
            .collect();
        json!({
            "overall": self.overall.json(),
            "categories": categories,
            "adversarial": self.adversarial.json(),
            "memories": self.memories,
            "questions": self.overall.questions + self.adversarial.questions,
            "search_ms": {"p50": self.percentile(0.5), "p95": self.percentile(0.95)},
        })
    }

    fn print(&self) {
        let names: Vec<String> = self
            .overall
            .figures()
            .iter()
            .map(|(name, _)| format!("{name:>9}"))
            .collect();
        println!("{:<14}{:>9}{}", "", "questions", names.concat());
        let row = |name: &str, sums: &Sums| {
            let values = sums
                .figures()
                .map(|(_, value)| format!("{value:>9.3}"))
                .concat();
            println!("{name:<14}{:>9}{values}", sums.questions);
        };
        for (name, sums) in &self.categories {
            row(name, sums);
        }
        row("overall", &self.overall);
        row("(adversarial)", &self.adversarial);
        println!(
            "\n{} memories; search {} ms p50, {} ms p95",
            self.memories,
            self.percentile(0.5),
            self.percentile(0.95)
        );
    }
}

/// A line on the terminal that says how far it is; nothing where nobody looks.
struct Progress {
    total: usize,
    done: Cell<usize>,
    shown: bool,
}

impl Progress {
    fn new(total: usize) -> Self {
        Self {
            total,
            done: Cell::new(0),
            shown: std::io::stderr().is_terminal(),
        }
    }

    fn step(&self) {
        self.done.set(self.done.get() + 1);
        if self.shown {
            let filled = self.done.get() * 30 / self.total.max(1);
            let bar = format!("{:<30}", "█".repeat(filled));
            eprint!("\r[{bar}] {}/{} questions", self.done.get(), self.total);
        }
    }

    fn done(&self) {
        if self.shown {
            eprint!("\r{:60}\r", "");
        }
    }
}
