//! The narrow waist: everything a space can be asked, and everything it answers.
//!
//! REST, MCP, the JavaScript class and the WebAssembly component are each a thin translation to
//! [`Operation`] and from [`Reply`]. Both are plain serde data, so that they also travel between a
//! gateway and the object that holds a space.

mod answer;
mod ask;

use serde::{Deserialize, Serialize};

pub use answer::*;
pub use ask::*;

pub use crate::memory::{
    Category, EventStatus, Export, Feedback, Happened, Notice, Problem, Purpose,
};

use crate::memory::{Claim, Entity, EntityId, Filter, Id, Memory, Moment, Relation, Scope};

/// Something to ask of a space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "operation", content = "with", rename_all = "snake_case")]
pub enum Operation {
    /// Remember a conversation. The messages are stored before the reply; extraction is a job.
    /// Answers [`Reply::Event`].
    Add(Box<Add>),
    /// Run the jobs that are due, or the job of one event at once. Answers [`Reply::Ran`].
    RunJobs {
        /// Only this event's job, due or not.
        #[serde(default)]
        event: Option<Id>,
    },
    /// Recall. Answers [`Reply::Hits`], or [`Reply::Related`] when relations are asked for.
    Search(Search),
    /// What an agent should have before its eyes when it answers a question, as one text for a prompt.
    /// Answers [`Reply::Context`].
    Context(Context),
    /// What happened and what held, in the order of its time in the world. Answers [`Reply::Timeline`].
    Timeline(Timeline),
    /// One memory. Answers [`Reply::Memory`].
    Get {
        /// Its id.
        id: Id,
    },
    /// Memories, newest first, a page at a time. Answers [`Reply::Page`].
    List(List),
    /// Change one memory by hand. Answers [`Reply::Memory`].
    Update(Update),
    /// Erase one memory and everything derived from it. Answers [`Reply::Deleted`].
    Delete {
        /// Its id.
        id: Id,
    },
    /// The same, with the memories that came from the same messages. Answers [`Reply::Deleted`].
    DeleteLinked {
        /// Its id.
        id: Id,
    },
    /// What its owner thinks of a memory: it ranks higher or lower from now on, or is retired, and a
    /// contradiction that it is part of is resolved. Answers [`Reply::Judged`].
    Feedback(Judgement),
    /// Several operations on memories of this space, in order; one that fails stops none. Answers
    /// [`Reply::Batch`].
    Batch {
        /// Updates and deletions.
        operations: Vec<Operation>,
    },
    /// Fill a schema from the memories that a filter selects: a job. Answers [`Reply::Export`].
    Export(Box<Export>),
    /// What became of an export, or of the latest one. Answers [`Reply::Export`].
    Exported {
        /// Its id; the latest of this purpose when absent.
        #[serde(default)]
        id: Option<Id>,
        /// What it was made for.
        #[serde(default)]
        purpose: Purpose,
    },
    /// What happened here that others should know, oldest first. Answers [`Reply::Notices`].
    Notices {
        /// At most so many.
        limit: usize,
    },
    /// Those notices have arrived: forget them. Answers [`Reply::Ran`].
    Noticed {
        /// The last of them; none when there was nothing but the counts.
        #[serde(default)]
        upto: Option<Id>,
    },
    /// Erase every memory that a filter selects, and everything derived from them. Answers
    /// [`Reply::Deleted`].
    DeleteAll {
        /// Which ones.
        #[serde(default)]
        filter: Filter,
    },
    /// What happened to one memory, oldest first. Answers [`Reply::History`].
    History {
        /// Its id.
        id: Id,
    },
    /// What became of an add. Answers [`Reply::Event`].
    Event {
        /// The event's id.
        id: Id,
    },
    /// Entities and relations, a page at a time. Answers [`Reply::Graph`].
    Graph(Graph),
    /// One entity with all that is known of it. Answers [`Reply::Entity`].
    Entity {
        /// Its id, or any of its names.
        id: EntityId,
    },
    /// How two entities hang together. Answers [`Reply::Paths`].
    Path {
        /// Where to begin: an entity's id, or any of its names.
        from: EntityId,
        /// Where to arrive.
        to: EntityId,
        /// Over relations that held in the world at this moment, rather than over those that hold now.
        #[serde(default)]
        as_of: Option<Moment>,
    },
    /// Say that two entities are one. The first one's names, relations and memories become the second
    /// one's. Answers [`Reply::Entity`].
    MergeEntities {
        /// The one that goes.
        from: EntityId,
        /// The one that stays.
        into: EntityId,
    },
    /// Say that some of an entity's memories are about another one, which is made. Answers
    /// [`Reply::Entity`] with the new one.
    SplitEntity {
        /// The entity.
        entity: EntityId,
        /// The name of the new one.
        name: String,
        /// The memories that are about it.
        memories: Vec<Id>,
    },
    /// What cannot all be true, newest first. Answers [`Reply::Contradictions`].
    Contradictions {
        /// Also those that are resolved.
        #[serde(default)]
        resolved: bool,
    },
    /// Say which side of a contradiction is true. What the others rest on is no longer believed.
    /// Answers [`Reply::Contradictions`] with this one.
    Resolve {
        /// The contradiction.
        id: Id,
        /// The claim that is true: one of its own, or the memory that one of them rests on.
        keep: Claim,
    },
    /// The running summary of a conversation. Answers [`Reply::Summary`].
    Summary {
        /// The conversation's ids.
        scope: Scope,
    },
    /// The running summaries of the conversations that a filter selects by their ids. Answers
    /// [`Reply::Summaries`].
    Summaries {
        /// Which ones.
        #[serde(default)]
        filter: Filter,
    },
    /// Counts. Answers [`Reply::Stats`].
    Stats {
        /// Also a hash of what is stored, for which all of it is read.
        #[serde(default)]
        digest: bool,
    },
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", content = "with", rename_all = "snake_case")]
pub enum Reply {
    /// An add, and what has become of it so far.
    Event(Box<Event>),
    /// Jobs were run.
    Ran {
        /// When the next job is due; `None` when none is left.
        next_due: Option<Moment>,
    },
    /// What recall found, best first.
    Hits(Vec<Hit>),
    /// What recall found, best first, and what the graph says of it.
    Related {
        /// The hits.
        hits: Vec<Hit>,
        /// Relations that hold: those that the hits state, then others at the entities that they mention.
        relations: Vec<Triple>,
    },
    /// A text for a prompt.
    Context {
        /// Sections of lines; a line ends with the numbers of the memories that it rests on: `[m1]`.
        text: String,
        /// The memories by those numbers: `[m1]` is the first.
        memories: Vec<Id>,
        /// How many tokens the text takes, about: one for four bytes of an alphabet, two for three
        /// characters of Chinese, Japanese or Korean.
        tokens: usize,
        /// Whether anything was left out for the budget's sake.
        truncated: bool,
    },
    /// What happened and what held, in the order in which it began.
    Timeline(Vec<Dated>),
    /// One memory.
    Memory(Box<Memory>),
    /// A page of memories.
    Page {
        /// How many there are on all pages.
        total: usize,
        /// Those of this page.
        memories: Vec<Memory>,
    },
    /// Memories were erased.
    Deleted {
        /// How many.
        count: usize,
    },
    /// The history of one memory, oldest first.
    History(Vec<HistoryLine>),
    /// A page of the graph.
    Graph {
        /// How many entities there are on all pages.
        total: usize,
        /// The nodes of this page.
        entities: Vec<Entity>,
        /// The edges that begin at them. What they point at can be on another page.
        relations: Vec<Relation>,
        /// The names of the entities on other pages that they point at.
        #[serde(default)]
        names: Vec<(EntityId, String)>,
    },
    /// Ways from one entity to another over relations, the best first.
    Paths {
        /// The two ends, then the entities between them.
        entities: Vec<Entity>,
        /// The ways: none when the two do not hang together closely.
        paths: Vec<Vec<Link>>,
    },
    /// One entity.
    Entity(Box<EntityView>),
    /// Contradictions with their words.
    Contradictions(Vec<Conflict>),
    /// The running summary; empty when there is none yet.
    Summary {
        /// The text.
        text: String,
        /// When it was made.
        updated_at: Option<Moment>,
        /// What it said before, oldest first, each with when it was made.
        #[serde(default)]
        earlier: Vec<(Moment, String)>,
    },
    /// Running summaries.
    Summaries(Vec<Summed>),
    /// A judgement was stored.
    Judged {
        /// Its id.
        id: Id,
        /// The judgement.
        judgement: Judgement,
    },
    /// The answers of a batch, in order.
    Batch(Vec<Result<Reply, Problem>>),
    /// An export.
    Export(Box<Exported>),
    /// What others should know.
    Notices(Box<Report>),
    /// Counts.
    Stats(Box<Stats>),
}
