//! What more than one space, or the directory, answers.

use std::collections::BTreeMap;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, StreamExt};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::access::{Access, Project};
use super::super::fields::{Fields, refused};
use super::super::wire::Target;
use super::places::{Places, places};
use super::shapes::{self, Shape};
use super::{Read, query};
use crate::directory::{Answer, Ask, Entity};
use crate::memory::{Filter, Id, Owner, OwnerKind, Problem, SpaceHash};
use crate::operation::{Hit, Operation, Reply, Triple};

/// Spaces that are asked at the same time.
pub(super) const AT_ONCE: usize = 6;

/// Spaces that one request asks at most: a host allows so many requests within one.
const MOST_SPACES: usize = 400;

/// Memories in one batch at most.
const MOST_IN_A_BATCH: usize = 1_000;

/// How a task reaches the spaces and the directory of the project that it is for.
pub trait Backend {
    /// Asks a space.
    fn space(
        &self,
        space: SpaceHash,
        operation: Operation,
    ) -> LocalBoxFuture<'_, Result<Reply, Problem>>;

    /// Asks the directory.
    fn directory(&self, ask: Ask) -> LocalBoxFuture<'_, Result<Answer, Problem>>;
}

/// What a task answers.
pub(super) type Answered = Result<(StatusCode, Value), Problem>;

/// A request that more than one space, or the directory, answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Task {
    /// Changes of memories by their ids.
    Batch {
        operations: Vec<(Id, Operation)>,
        verb: &'static str,
    },
    /// The same question to several spaces.
    Spread {
        places: Places,
        operation: Box<Operation>,
        shape: Shape,
    },
    /// Everything of a user, an agent, an app or a run is erased.
    DeleteEntity { kind: OwnerKind, name: Name },
    /// Everything is erased, and, of a project that is deleted, what is set too.
    DeleteAll {
        settings: bool,
        message: &'static str,
    },
    /// The latest adds.
    Events {
        page: usize,
        page_size: usize,
        address: String,
    },
    /// Anything that the directory alone answers.
    Of(Box<super::admin::Admin>),
    /// Keys and tokens.
    Doors(super::doors::Doors),
}

/// How a client names an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    /// By its id.
    Id(String),
    /// By its number.
    Number(u64),
}

/// Reads a batch.
pub(super) fn batch(fields: &Fields, verb: &'static str) -> Result<Task, Problem> {
    let items = fields.get("memories").and_then(Value::as_array);
    let items = items.ok_or_else(|| {
        refused(
            "missing_field",
            "give the memories as a list: {\"memories\": [{\"memory_id\": ...}]}",
        )
    })?;
    if items.len() > MOST_IN_A_BATCH {
        return Err(refused(
            "too_many",
            format!("Maximum of {MOST_IN_A_BATCH} memories can be {verb} in a single request"),
        ));
    }
    let mut operations = Vec::with_capacity(items.len());
    for item in items {
        let item = match item {
            Value::Object(item) => Fields::of_object(item.clone()),
            Value::String(id) => {
                Fields::of_object(Map::from_iter([("memory_id".to_owned(), json!(id))]))
            }
            _ => return Err(refused("bad_value", "each memory must be an object")),
        };
        let id = match item.text("memory_id")? {
            Some(id) => Some(id),
            None => item.text("memoryId")?,
        };
        let id = super::memory_id(&id.ok_or_else(|| {
            refused(
                "missing_field",
                "each memory of a batch needs its `memory_id`",
            )
        })?)?;
        operations.push(match verb {
            "updated" => (id, query::update(id, &item)?.operation),
            _ => (id, Operation::Delete { id }),
        });
    }
    Ok(Task::Batch { operations, verb })
}

/// The same question to all the spaces that a filter speaks of, when it is not only one.
pub(super) fn spread(fields: &Fields, target: &Target<'_>, asks: Asks) -> Result<Task, Problem> {
    let filter = query::conditions(fields)?;
    let places = places(&filter)
        .or_else(|| (asks == Asks::OssList).then(Places::everywhere))
        .ok_or_else(super::scope::missing)?;
    let (operation, shape) = match asks {
        Asks::Search => query::search_with(fields, filter)?,
        Asks::List | Asks::OssList => query::list_with(fields, target, filter)?,
        Asks::DeleteAll => query::delete_with(fields, filter)?,
    };
    Ok(Task::Spread {
        places,
        operation: Box::new(operation),
        shape,
    })
}

/// What is asked of several spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    Search,
    List,
    OssList,
    DeleteAll,
}

/// The same task, answered in an older form.
pub(super) fn in_form(task: Task, form: Option<super::older::Form>) -> Task {
    match (task, form) {
        (
            Task::Spread {
                places,
                operation,
                shape,
            },
            Some(form),
        ) => Task::Spread {
            places,
            operation,
            shape: Shape::Older {
                inner: Box::new(shape),
                form,
            },
        },
        (task, _) => task,
    }
}

impl Task {
    /// The only space that it reaches; `None` when it may reach others, or tells of the project.
    pub fn space(&self) -> Option<SpaceHash> {
        match self {
            // What is said with a user is the user's, whatever else it is said under.
            Task::DeleteEntity {
                kind: kind @ OwnerKind::User,
                name: Name::Id(id),
            } => Some(Owner::new(*kind, id).space_hash()),
            Task::Batch { operations, .. } => {
                let mut spaces = operations.iter().map(|(id, _)| id.space());
                let first = spaces.next()?;
                spaces.all(|space| space == first).then_some(first)
            }
            _ => None,
        }
    }

    /// Does it.
    pub async fn run(self, project: &Project, access: &Access, backend: &dyn Backend) -> Answered {
        match self {
            Task::Batch { operations, verb } => run_batch(operations, verb, backend).await,
            Task::Spread {
                places,
                operation,
                shape,
            } => {
                let spaces = spaces(&places, backend).await?;
                let reply = ask_all(spaces, *operation, backend).await?;
                Ok((shape.status(), shapes::write(&shape, &reply)?))
            }
            Task::DeleteEntity { kind, name } => delete_entity(kind, name, backend).await,
            Task::DeleteAll { settings, message } => {
                let everywhere = spaces(&Places::everywhere(), backend).await?;
                let erase = Operation::DeleteAll {
                    filter: Filter::all(),
                };
                ask_all(everywhere, erase, backend).await?;
                if settings {
                    backend.directory(Ask::Clear).await?;
                    access.known.forget();
                }
                Ok((StatusCode::OK, json!({"message": message})))
            }
            Task::Events {
                page,
                page_size,
                address,
            } => events(page, page_size, &address, backend).await,
            Task::Of(admin) => admin.run(project, backend).await,
            Task::Doors(doors) => doors.run(project, access, backend).await,
        }
    }
}

async fn run_batch(
    operations: Vec<(Id, Operation)>,
    verb: &'static str,
    backend: &dyn Backend,
) -> Answered {
    let asked = operations.len();
    let mut by_space: BTreeMap<SpaceHash, Vec<(Id, Operation)>> = BTreeMap::new();
    for (id, operation) in operations {
        by_space
            .entry(id.space())
            .or_default()
            .push((id, operation));
    }
    if by_space.len() > MOST_SPACES {
        return Err(too_many_spaces());
    }
    let asking = by_space.into_iter().map(|(space, asked)| async move {
        let (ids, operations): (Vec<Id>, Vec<Operation>) = asked.into_iter().unzip();
        match backend.space(space, Operation::Batch { operations }).await {
            Ok(Reply::Batch(replies)) => Ok(ids.into_iter().zip(replies).collect::<Vec<_>>()),
            Ok(_) => Err(unexpected()),
            Err(problem) => Err(problem),
        }
    });
    let answers: Vec<_> = stream::iter(asking).buffered(AT_ONCE).collect().await;
    let mut failed: Vec<(Id, Problem)> = Vec::new();
    for answer in answers {
        let failures = answer?.into_iter();
        failed.extend(failures.filter_map(|(id, reply)| Some((id, reply.err()?))));
    }
    // Of a batch that did nothing the first reason is the answer.
    if failed.len() == asked
        && let Some((_, problem)) = failed.first()
    {
        return Err(problem.clone());
    }
    let done = asked - failed.len();
    let mut body = json!({"message": format!("Successfully {verb} {done} memories")});
    if let (false, Some(body)) = (failed.is_empty(), body.as_object_mut()) {
        let failed = failed.iter().map(
            |(id, problem)| json!({"memory_id": id, "code": problem.code, "error": problem.message}),
        );
        body.insert("failed".to_owned(), failed.collect());
    }
    Ok((StatusCode::OK, body))
}

/// The spaces of some places, in a fixed order.
async fn spaces(places: &Places, backend: &dyn Backend) -> Result<Vec<SpaceHash>, Problem> {
    let mut all: Vec<SpaceHash> = places
        .named
        .iter()
        .map(|owner| owner.space_hash())
        .collect();
    if places.is_wide() {
        let ask = Ask::Spaces {
            kinds: places.kinds.clone(),
            under: places.under.clone(),
            limit: MOST_SPACES,
        };
        match backend.directory(ask).await? {
            Answer::Spaces { more: true, .. } => return Err(too_many_spaces()),
            Answer::Spaces { spaces, .. } => all.extend(spaces.iter().map(|space| space.hash)),
            _ => return Err(unexpected()),
        }
    }
    all.sort_unstable();
    all.dedup();
    match all.len() > MOST_SPACES {
        true => Err(too_many_spaces()),
        false => Ok(all),
    }
}

fn too_many_spaces() -> Problem {
    refused(
        "too_many_owners",
        format!(
            "this concerns more than {MOST_SPACES} owners at once: name some of them, and ask once \
             for each"
        ),
    )
}

pub(in crate::api) fn unexpected() -> Problem {
    Problem::new(
        500,
        "unexpected_reply",
        "the server answered something else than it was asked; please report this",
    )
}

/// Asks all spaces the same, and makes one reply of theirs.
async fn ask_all(
    spaces: Vec<SpaceHash>,
    operation: Operation,
    backend: &dyn Backend,
) -> Result<Reply, Problem> {
    if let Operation::List(list) = operation {
        return list_all(spaces, list, backend).await;
    }
    let asking = spaces
        .into_iter()
        .map(|space| backend.space(space, operation.clone()));
    let replies: Vec<_> = stream::iter(asking).buffered(AT_ONCE).collect().await;
    let (mut hits, mut relations, mut count): (Vec<Hit>, Vec<Triple>, usize) = Default::default();
    for reply in replies {
        match reply? {
            Reply::Hits(found) => hits.extend(found),
            Reply::Related {
                hits: found,
                relations: related,
            } => {
                hits.extend(found);
                relations.extend(related);
            }
            Reply::Deleted { count: erased } => count += erased,
            _ => return Err(unexpected()),
        }
    }
    match operation {
        Operation::Search(search) => {
            hits.sort_by(|a, b| {
                let score = |hit: &Hit| hit.rerank_score.unwrap_or(hit.score);
                score(b)
                    .total_cmp(&score(a))
                    .then(a.memory.id.cmp(&b.memory.id))
            });
            hits.truncate(search.top_k);
            Ok(match search.relations {
                true => Reply::Related { hits, relations },
                false => Reply::Hits(hits),
            })
        }
        _ => Ok(Reply::Deleted { count }),
    }
}

/// A page of the memories of several spaces: one space after the other, so that pages stay what they are while
/// spaces that come later grow.
async fn list_all(
    spaces: Vec<SpaceHash>,
    list: crate::operation::List,
    backend: &dyn Backend,
) -> Result<Reply, Problem> {
    let counting = spaces.iter().map(|space| {
        let asked = crate::operation::List {
            page: 1,
            page_size: 1,
            ..list.clone()
        };
        backend.space(*space, Operation::List(asked))
    });
    let counts: Vec<_> = stream::iter(counting).buffered(AT_ONCE).collect().await;
    let (mut skip, mut wanted) = (
        (list.page - 1).saturating_mul(list.page_size),
        list.page_size,
    );
    let (mut total, mut slices) = (0, Vec::new());
    for (space, counted) in spaces.into_iter().zip(counts) {
        let Reply::Page { total: here, .. } = counted? else {
            return Err(unexpected());
        };
        total += here;
        if skip >= here {
            skip -= here;
        } else if wanted > 0 {
            let take = wanted.min(here - skip);
            slices.push((space, skip, take));
            wanted -= take;
            skip = 0;
        }
    }
    let reading = slices.into_iter().map(|(space, skip, take)| {
        let asked = crate::operation::List {
            page: 1,
            page_size: take,
            skip,
            ..list.clone()
        };
        backend.space(space, Operation::List(asked))
    });
    let pages: Vec<_> = stream::iter(reading).buffered(AT_ONCE).collect().await;
    let mut memories = Vec::new();
    for page in pages {
        match page? {
            Reply::Page { memories: here, .. } => memories.extend(here),
            _ => return Err(unexpected()),
        }
    }
    Ok(Reply::Page { total, memories })
}

async fn delete_entity(kind: OwnerKind, name: Name, backend: &dyn Backend) -> Answered {
    let id = match name {
        Name::Id(id) => id,
        Name::Number(number) => {
            let found = backend.directory(Ask::Numbered { kind, number }).await?;
            let Answer::Entities(found) = found else {
                return Err(unexpected());
            };
            let entity: Option<Entity> = found.items.into_iter().next();
            entity
                .map(|entity| entity.id)
                .ok_or_else(|| Problem::new(404, "entity_not_found", "no entity has this id"))?
        }
    };
    let owner = Owner::new(kind, &id);
    // Its own space, and what was said under it in others'.
    let places = Places {
        named: vec![owner],
        kinds: OwnerKind::ALL
            .into_iter()
            .filter(|before| *before < kind)
            .collect(),
        under: Some((kind, id.clone())),
    };
    let field = format!("{}_id", kind.as_str());
    let erase = Operation::DeleteAll {
        filter: Filter::eq(field, id.clone()),
    };
    let reply = ask_all(spaces(&places, backend).await?, erase, backend).await?;
    backend.directory(Ask::Undeclare { kind, id }).await?;
    let count = match reply {
        Reply::Deleted { count } => count,
        _ => 0,
    };
    Ok((
        StatusCode::OK,
        json!({"message": "Entity deleted successfully!", "count": count}),
    ))
}

async fn events(page: usize, page_size: usize, address: &str, backend: &dyn Backend) -> Answered {
    let Answer::Events(found) = backend.directory(Ask::Events { page, page_size }).await? else {
        return Err(unexpected());
    };
    let asking = found.items.iter().map(|line| {
        let id = line.id;
        backend.space(id.space(), Operation::Event { id })
    });
    let replies: Vec<_> = stream::iter(asking).buffered(AT_ONCE).collect().await;
    let mut results = Vec::new();
    for reply in replies {
        match reply {
            Ok(Reply::Event(event)) => results.push(shapes::event(&event)),
            // One whose space was erased meanwhile.
            Err(problem) if problem.status == 404 => {}
            Err(problem) => return Err(problem),
            Ok(_) => return Err(unexpected()),
        }
    }
    let fields = [("results", Value::Array(results))];
    let body = shapes::paged(
        found.total,
        &format!("{address}?"),
        (page, page_size),
        fields,
    );
    Ok((StatusCode::OK, body))
}

impl Read {
    /// The same read, answered in an older form.
    pub(super) fn shaped(mut self, form: super::older::Form) -> Self {
        self.shape = Shape::Older {
            inner: Box::new(self.shape),
            form,
        };
        self
    }
}
