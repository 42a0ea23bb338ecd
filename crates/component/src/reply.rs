//! Replies of the core as the world has them.

use edgemem::memory::{
    ChangeKind, Claim, Entity, EntityId, EventStatus, Id, Kind, Memory, Message, Moment, Object,
    Precision, Relation, Role, Scope, Speaker, Version,
};
use edgemem::operation::{
    Conflict, Dated, EntityView, Event, HistoryLine, Hit, Link, Receipt, Reply, Side, Stats, Step,
    Stop, Triple,
};
use edgemem::space::SpaceError;

use crate::bindings::edgemem::memory::types;
use crate::bindings::exports::edgemem::memory::memory as wit;

impl TryFrom<Reply> for wit::Reply {
    type Error = SpaceError;

    fn try_from(reply: Reply) -> Result<Self, SpaceError> {
        Ok(match reply {
            Reply::Event(event) => Self::Event((*event).into()),
            Reply::Ran { next_due } => Self::Ran(millis(next_due)),
            Reply::Hits(hits) => Self::Hits(all(hits)),
            Reply::Related { hits, relations } => Self::Related(wit::Related {
                hits: all(hits),
                relations: all(relations),
            }),
            Reply::Context {
                text,
                memories,
                tokens,
                truncated,
            } => Self::Context(wit::ContextText {
                text,
                memories: ids(memories),
                tokens: count(tokens),
                truncated,
            }),
            Reply::Timeline(lines) => Self::Timeline(all(lines)),
            Reply::Memory(memory) => Self::Memory((*memory).into()),
            Reply::Page { total, memories } => Self::Page(wit::MemoryPage {
                total: count(total),
                memories: all(memories),
            }),
            Reply::Deleted { count: erased } => Self::Deleted(count(erased)),
            Reply::History(lines) => Self::History(all(lines)),
            Reply::Graph {
                total,
                entities,
                relations,
                names,
            } => Self::Graph(wit::GraphPage {
                total: count(total),
                entities: all(entities),
                relations: all(relations),
                names: named(names),
            }),
            Reply::Paths { entities, paths } => Self::Paths(wit::Paths {
                entities: all(entities),
                paths: paths.into_iter().map(all).collect(),
            }),
            Reply::Entity(view) => Self::Entity((*view).into()),
            Reply::Contradictions(conflicts) => Self::Contradictions(all(conflicts)),
            Reply::Summary {
                text,
                updated_at,
                earlier,
            } => Self::Summary(wit::Summary {
                text,
                updated_at: millis(updated_at),
                earlier: earlier
                    .into_iter()
                    .map(|(at, text)| wit::Earlier {
                        at: at.as_millis(),
                        text,
                    })
                    .collect(),
            }),
            Reply::Stats(stats) => Self::Stats((*stats).into()),
            // Nothing that the world can ask is answered by these.
            Reply::Summaries(_)
            | Reply::Judged { .. }
            | Reply::Batch(_)
            | Reply::Export(_)
            | Reply::Notices(_) => return Err(SpaceError::NotServed),
        })
    }
}

impl From<Event> for wit::Event {
    fn from(event: Event) -> Self {
        let outcomes = event.outcomes.into_iter();
        Self {
            id: event.id.to_string(),
            status: match event.status {
                EventStatus::Pending => wit::EventStatus::Pending,
                EventStatus::Running => wit::EventStatus::Running,
                EventStatus::Succeeded => wit::EventStatus::Succeeded,
                EventStatus::Failed => wit::EventStatus::Failed,
            },
            created_at: event.created_at.as_millis(),
            updated_at: event.updated_at.as_millis(),
            scope: event.scope.into(),
            attempts: event.attempts,
            error: event.error.map(|problem| types::Problem {
                code: problem.code,
                message: problem.message,
            }),
            retry_at: millis(event.retry_at),
            outcomes: outcomes
                .map(|outcome| wit::Outcome {
                    id: outcome.id.to_string(),
                    kind: outcome.kind.into(),
                    text: outcome.text,
                    old_text: outcome.old_text,
                })
                .collect(),
            relations: all(event.relations),
            note: event.note,
        }
    }
}

impl From<Memory> for types::Memory {
    fn from(memory: Memory) -> Self {
        Self {
            id: memory.id.to_string(),
            text: memory.text().to_owned(),
            kind: match memory.kind {
                Kind::Fact => types::Kind::Fact,
                Kind::Message => types::Kind::Message,
            },
            current: memory.is_current(),
            transcript: memory.transcript,
            scope: memory.scope.into(),
            versions: all(memory.versions),
            role: memory.role.map(role),
            name: memory.name,
            attributed_to: memory.attributed_to.map(|speaker| match speaker {
                Speaker::User => types::Speaker::User,
                Speaker::Assistant => types::Speaker::Assistant,
            }),
            standing: memory.standing,
            applies_when: memory.applies_when,
            categories: memory.categories,
            entities: memory.entities.into_iter().map(|id| id.0).collect(),
            metadata: serde_json::Value::Object(memory.metadata).to_string(),
            expires_at: millis(memory.expires_at),
            immutable: memory.immutable,
            created_at: memory.created_at.as_millis(),
            updated_at: memory.updated_at.as_millis(),
        }
    }
}

impl From<Version> for types::Version {
    fn from(version: Version) -> Self {
        Self {
            text: version.text,
            known_from: version.known_from.as_millis(),
            known_to: millis(version.known_to),
            valid_from: millis(version.valid_from),
            valid_to: millis(version.valid_to),
            from_precision: version.from_precision.map(precision),
            to_precision: version.to_precision.map(precision),
            sources: ids(version.sources),
            structured_data: match version.structured_data.is_empty() {
                true => None,
                false => Some(serde_json::Value::Object(version.structured_data).to_string()),
            },
        }
    }
}

impl From<Scope> for types::Scope {
    fn from(scope: Scope) -> Self {
        Self {
            user_id: scope.user_id,
            agent_id: scope.agent_id,
            app_id: scope.app_id,
            run_id: scope.run_id,
        }
    }
}

impl From<Message> for types::Message {
    fn from(message: Message) -> Self {
        Self {
            role: role(message.role),
            content: message.content,
            name: message.name,
            time: millis(message.time),
        }
    }
}

impl From<Hit> for wit::Hit {
    fn from(hit: Hit) -> Self {
        Self {
            memory: hit.memory.into(),
            score: hit.score,
            receipt: hit.receipt.into(),
            contradicts: ids(hit.contradicts),
        }
    }
}

impl From<Receipt> for wit::Receipt {
    fn from(receipt: Receipt) -> Self {
        let channels = receipt.channels.into_iter();
        Self {
            channels: channels
                .map(|one| wit::ChannelScore {
                    channel: one.channel,
                    rank: count(one.rank),
                    raw: one.raw,
                    score: one.score,
                })
                .collect(),
            sources: ids(receipt.sources),
            path: all(receipt.path),
        }
    }
}

impl From<Step> for wit::Step {
    fn from(step: Step) -> Self {
        Self {
            by: step.by,
            backwards: step.backwards,
            to: match step.to {
                Stop::Entity(id) => wit::Stop::Entity(id.0),
                Stop::Value(value) => wit::Stop::Value(value),
                Stop::Memory(id) => wit::Stop::Memory(id.to_string()),
            },
            name: step.name,
        }
    }
}

impl From<Triple> for wit::Triple {
    fn from(triple: Triple) -> Self {
        Self {
            source: triple.source,
            relationship: triple.relationship,
            target: triple.target,
        }
    }
}

impl From<Dated> for wit::Dated {
    fn from(line: Dated) -> Self {
        Self {
            from: line.from.as_millis(),
            from_precision: line.from_precision.map(precision),
            to: millis(line.to),
            to_precision: line.to_precision.map(precision),
            text: line.text,
            current: line.current,
            memories: ids(line.memories),
            relation: line.relation.map(types::Relation::from),
        }
    }
}

impl From<HistoryLine> for wit::HistoryLine {
    fn from(line: HistoryLine) -> Self {
        Self {
            id: line.change.id.to_string(),
            kind: line.change.kind.into(),
            old_text: line.change.old_text,
            new_text: line.change.new_text,
            at: line.change.at.as_millis(),
            input: all(line.input),
        }
    }
}

impl From<Entity> for types::Entity {
    fn from(entity: Entity) -> Self {
        Self {
            id: entity.id.0,
            name: entity.name,
            kind: entity.kind,
            aliases: entity.aliases,
            created_at: entity.created_at.as_millis(),
            merged_into: entity.merged_into.map(|id| id.0),
        }
    }
}

impl From<Relation> for types::Relation {
    fn from(relation: Relation) -> Self {
        Self {
            subject: relation.subject.0,
            predicate: relation.predicate,
            object: match relation.object {
                Object::Entity(id) => types::Object::Entity(id.0),
                Object::Literal(value) => types::Object::Literal(value),
            },
            valid_from: millis(relation.valid_from),
            valid_to: millis(relation.valid_to),
            from_precision: relation.from_precision.map(precision),
            to_precision: relation.to_precision.map(precision),
            known_from: relation.known_from.as_millis(),
            known_to: millis(relation.known_to),
            confidence: relation.confidence,
            memories: ids(relation.memories),
            messages: ids(relation.messages),
        }
    }
}

impl From<Link> for wit::Link {
    fn from(link: Link) -> Self {
        Self {
            relation: link.relation.into(),
            backwards: link.backwards,
        }
    }
}

impl From<EntityView> for wit::EntityView {
    fn from(view: EntityView) -> Self {
        Self {
            entity: view.entity.into(),
            relations: all(view.relations),
            names: named(view.names),
            memories: all(view.memories),
        }
    }
}

impl From<Conflict> for wit::Contradiction {
    fn from(conflict: Conflict) -> Self {
        let resolved = conflict.contradiction.resolved;
        Self {
            id: conflict.contradiction.id.to_string(),
            found_at: conflict.contradiction.found_at.as_millis(),
            resolved_at: resolved.as_ref().map(|ended| ended.at.as_millis()),
            kept: resolved.and_then(|ended| ended.kept).map(claim),
            sides: all(conflict.sides),
        }
    }
}

impl From<Side> for wit::Side {
    fn from(side: Side) -> Self {
        Self {
            claim: claim(side.claim),
            text: side.text,
            memories: ids(side.memories),
            said_at: millis(side.said_at),
        }
    }
}

impl From<Stats> for wit::Stats {
    fn from(stats: Stats) -> Self {
        Self {
            memories: count(stats.memories),
            transcript: count(stats.transcript),
            entities: count(stats.entities),
            relations: count(stats.relations),
            contradictions: count(stats.contradictions),
            jobs: count(stats.jobs),
            embedder: stats.embedder,
            vectors: match stats.vectors.as_str() {
                "lean" => wit::Residency::Lean,
                _ => wit::Residency::Resident,
            },
            bytes: stats.bytes as u64,
            budget: stats.budget as u64,
            module: stats.module.unwrap_or_default() as u64,
        }
    }
}

impl From<ChangeKind> for wit::ChangeKind {
    fn from(kind: ChangeKind) -> Self {
        match kind {
            ChangeKind::Add => Self::Add,
            ChangeKind::Update => Self::Update,
            ChangeKind::Delete => Self::Delete,
            ChangeKind::None => Self::None,
        }
    }
}

fn all<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

fn ids(ids: Vec<Id>) -> Vec<String> {
    ids.iter().map(Id::to_string).collect()
}

fn named(names: Vec<(EntityId, String)>) -> Vec<types::Named> {
    let names = names.into_iter();
    names
        .map(|(id, name)| types::Named { id: id.0, name })
        .collect()
}

fn millis(moment: Option<Moment>) -> Option<i64> {
    moment.map(Moment::as_millis)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn role(role: Role) -> types::Role {
    match role {
        Role::User => types::Role::User,
        Role::Assistant => types::Role::Assistant,
        Role::System => types::Role::System,
        Role::Tool => types::Role::Tool,
    }
}

fn precision(precision: Precision) -> types::Precision {
    match precision {
        Precision::Instant => types::Precision::Instant,
        Precision::Minute => types::Precision::Minute,
        Precision::Hour => types::Precision::Hour,
        Precision::Day => types::Precision::Day,
        Precision::Weekend => types::Precision::Weekend,
        Precision::Week => types::Precision::Week,
        Precision::Month => types::Precision::Month,
        Precision::Season => types::Precision::Season,
        Precision::Year => types::Precision::Year,
        Precision::Decade => types::Precision::Decade,
    }
}

fn claim(claim: Claim) -> types::Claim {
    match claim {
        Claim::Memory(id) => types::Claim::Memory(id.to_string()),
        Claim::Relation(key) => types::Claim::Relation(key),
    }
}
