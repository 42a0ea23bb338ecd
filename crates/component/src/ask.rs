//! Questions of the world as operations of the core.

use edgemem::memory::{
    Category, Claim, EntityId, Filter, FilterError, Id, Message, Moment, Role, Scope,
};
use edgemem::operation::{
    Add, Channel, Context, Graph, List, Operation, Search, Timeline, Transcript, Update,
};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::bindings::edgemem::memory::types;
use crate::bindings::exports::edgemem::memory::memory as wit;

/// Why a question cannot be read.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// An id that is none.
    #[error("'{0}' is not an id: a UUID is")]
    Id(String),
    /// Metadata or a filter that is not JSON.
    #[error("{0} is not JSON: {1}")]
    Json(&'static str, serde_json::Error),
    /// Metadata that is JSON, but no object.
    #[error("metadata must be a JSON object")]
    NoObject,
    /// A filter that is none.
    #[error(transparent)]
    Filter(#[from] FilterError),
}

/// Reads an operation, asked of the space of this owner.
///
/// # Errors
/// See [`Unreadable`].
pub fn read(owner: &Scope, operation: wit::Operation) -> Result<Operation, Unreadable> {
    use wit::Operation as Asked;
    Ok(match operation {
        Asked::Add(add) => Operation::Add(Box::new(read_add(owner, add)?)),
        Asked::RunJobs(event) => Operation::RunJobs {
            event: event.as_deref().map(id).transpose()?,
        },
        Asked::Search(search) => Operation::Search(read_search(search)?),
        Asked::Context(asked) => {
            let defaults = Context::default();
            Operation::Context(Context {
                query: asked.query,
                filter: filter(asked.filter)?,
                budget_tokens: number(asked.budget_tokens, defaults.budget_tokens),
                as_of: moment(asked.as_of),
                reference_time: moment(asked.reference_time),
            })
        }
        Asked::Timeline(asked) => Operation::Timeline(Timeline {
            entity: asked.entity.map(EntityId),
            query: asked.query,
            from: moment(asked.from),
            to: moment(asked.to),
            filter: filter(asked.filter)?,
        }),
        Asked::Get(memory) => Operation::Get { id: id(&memory)? },
        Asked::List(asked) => {
            let defaults = List::default();
            Operation::List(List {
                filter: filter(asked.filter)?,
                page: number(asked.page, defaults.page),
                page_size: number(asked.page_size, defaults.page_size),
                skip: defaults.skip,
                show_expired: asked.show_expired.unwrap_or(defaults.show_expired),
                show_past: asked.show_past.unwrap_or(defaults.show_past),
                transcript: asked.transcript.unwrap_or(defaults.transcript),
            })
        }
        Asked::Update(asked) => Operation::Update(Update {
            id: id(&asked.id)?,
            text: asked.text,
            metadata: asked.metadata.map(object).transpose()?,
            time: moment(asked.time),
            expires_at: asked.expires_at.map(|setting| match setting {
                wit::Setting::At(at) => Some(Moment::from_millis(at)),
                wit::Setting::Never => None,
            }),
        }),
        Asked::Delete(memory) => Operation::Delete { id: id(&memory)? },
        Asked::DeleteAll(asked) => Operation::DeleteAll {
            filter: filter(asked)?,
        },
        Asked::History(memory) => Operation::History { id: id(&memory)? },
        Asked::Event(event) => Operation::Event { id: id(&event)? },
        Asked::Graph(asked) => {
            let defaults = Graph::default();
            Operation::Graph(Graph {
                past: asked.past.unwrap_or(defaults.past),
                as_of: moment(asked.as_of),
                known_at: moment(asked.known_at),
                filter: filter(asked.filter)?,
                page: number(asked.page, defaults.page),
                page_size: number(asked.page_size, defaults.page_size),
            })
        }
        Asked::Entity(entity) => Operation::Entity {
            id: EntityId(entity),
        },
        Asked::Path(asked) => Operation::Path {
            from: EntityId(asked.from),
            to: EntityId(asked.to),
            as_of: moment(asked.as_of),
        },
        Asked::MergeEntities(asked) => Operation::MergeEntities {
            from: EntityId(asked.from),
            into: EntityId(asked.into),
        },
        Asked::SplitEntity(asked) => Operation::SplitEntity {
            entity: EntityId(asked.entity),
            name: asked.name,
            memories: asked
                .memories
                .iter()
                .map(|text| id(text))
                .collect::<Result<_, _>>()?,
        },
        Asked::Contradictions(resolved) => Operation::Contradictions { resolved },
        Asked::Resolve(asked) => Operation::Resolve {
            id: id(&asked.id)?,
            keep: match asked.keep {
                types::Claim::Memory(memory) => Claim::Memory(id(&memory)?),
                types::Claim::Relation(key) => Claim::Relation(key),
            },
        },
        Asked::Summary(scope) => Operation::Summary {
            scope: within(owner, scope.into()),
        },
        Asked::Stats => Operation::Stats { digest: false },
    })
}

/// An add of these messages, with its defaults.
pub fn plain(owner: &Scope, messages: Vec<types::Message>) -> Add {
    Add {
        scope: owner.clone(),
        messages: messages.into_iter().map(Message::from).collect(),
        infer: true,
        ..Add::default()
    }
}

/// A question with its defaults.
pub fn question(query: String, top_k: u32) -> Operation {
    Operation::Search(Search {
        query,
        top_k: top_k as usize,
        ..Search::default()
    })
}

fn read_add(owner: &Scope, add: wit::Add) -> Result<Add, Unreadable> {
    let scope = Scope {
        user_id: None,
        agent_id: add.agent_id,
        app_id: add.app_id,
        run_id: add.run_id,
    };
    let categories = add.categories.unwrap_or_default().into_iter();
    Ok(Add {
        scope: within(owner, scope),
        infer: add.infer.unwrap_or(true),
        metadata: add.metadata.map(object).transpose()?.unwrap_or_default(),
        time: moment(add.time),
        expires_at: moment(add.expires_at),
        immutable: add.immutable.unwrap_or(false),
        instructions: add.instructions,
        includes: add.includes,
        excludes: add.excludes,
        categories: categories
            .map(|category| Category {
                name: category.name,
                description: category.description,
            })
            .collect(),
        structured_data_schema: add
            .structured_data_schema
            .map(|json| serde_json::from_str(&json))
            .transpose()
            .map_err(|error| Unreadable::Json("the schema of structured data", error))?,
        ..plain(owner, add.messages)
    })
}

fn read_search(asked: wit::Search) -> Result<Search, Unreadable> {
    let defaults = Search::default();
    let without = asked.without.unwrap_or_default().into_iter();
    Ok(Search {
        query: asked.query,
        filter: filter(asked.filter)?,
        top_k: number(asked.top_k, defaults.top_k),
        threshold: asked.threshold.unwrap_or(defaults.threshold),
        show_expired: asked.show_expired.unwrap_or(defaults.show_expired),
        transcript: asked
            .transcript
            .map_or(defaults.transcript, |which| match which {
                wit::Transcript::Never => Transcript::Never,
                wit::Transcript::Fill => Transcript::Fill,
                wit::Transcript::Always => Transcript::Always,
            }),
        relations: asked.relations.unwrap_or(defaults.relations),
        reference_time: moment(asked.reference_time),
        rerank: false,
        latest_only: defaults.latest_only,
        as_of: moment(asked.as_of),
        known_at: moment(asked.known_at),
        without: without
            .map(|channel| match channel {
                wit::Channel::Keyword => Channel::Keyword,
                wit::Channel::Vector => Channel::Vector,
                wit::Channel::Graph => Channel::Graph,
                wit::Channel::Time => Channel::Time,
                wit::Channel::Standing => Channel::Standing,
            })
            .collect(),
    })
}

/// The owner's ids, with others beside them.
fn within(owner: &Scope, scope: Scope) -> Scope {
    Scope {
        user_id: owner.user_id.clone().or(scope.user_id),
        agent_id: owner.agent_id.clone().or(scope.agent_id),
        app_id: owner.app_id.clone().or(scope.app_id),
        run_id: owner.run_id.clone().or(scope.run_id),
    }
}

impl From<types::Scope> for Scope {
    fn from(scope: types::Scope) -> Self {
        Self {
            user_id: scope.user_id,
            agent_id: scope.agent_id,
            app_id: scope.app_id,
            run_id: scope.run_id,
        }
    }
}

impl From<types::Message> for Message {
    fn from(message: types::Message) -> Self {
        Self {
            role: match message.role {
                types::Role::User => Role::User,
                types::Role::Assistant => Role::Assistant,
                types::Role::System => Role::System,
                types::Role::Tool => Role::Tool,
            },
            content: message.content,
            name: message.name,
            time: moment(message.time),
        }
    }
}

fn id(text: &str) -> Result<Id, Unreadable> {
    text.parse().map_err(|_| Unreadable::Id(text.to_owned()))
}

fn moment(millis: Option<i64>) -> Option<Moment> {
    millis.map(Moment::from_millis)
}

fn number(asked: Option<u32>, default: usize) -> usize {
    asked.map_or(default, |number| number as usize)
}

fn filter(json: Option<String>) -> Result<Filter, Unreadable> {
    let Some(json) = json else {
        return Ok(Filter::all());
    };
    let value: Value =
        serde_json::from_str(&json).map_err(|error| Unreadable::Json("the filter", error))?;
    Ok(Filter::read(&value)?)
}

fn object(json: String) -> Result<Map<String, Value>, Unreadable> {
    let value =
        serde_json::from_str(&json).map_err(|error| Unreadable::Json("the metadata", error))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Unreadable::NoObject),
    }
}
