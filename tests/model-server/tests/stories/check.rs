//! What a space remembers, beside what a story expects.

use std::collections::BTreeMap;

use edgemem::memory::{Claim, Entity, Id, Memory, Moment, Object, Precision, Relation};
use edgemem::operation::{Conflict, Graph, Hit, List, Operation, Reply, Search};
use edgemem::pipeline::graph::is_single;
use serde_json::json;

use crate::replay::Stage;
use crate::story::{At, Edge, Expected, Question};

/// The graph and the memories of a space.
pub struct State {
    pub entities: Vec<Entity>,
    /// All that were ever known.
    relations: Vec<Relation>,
    memories: Vec<Memory>,
    conflicts: Vec<Conflict>,
}

impl State {
    pub fn read(stage: &Stage) -> Self {
        let (entities, relations) = graph(
            stage,
            Graph {
                past: true,
                ..Graph::default()
            },
        );
        Self {
            entities,
            relations,
            memories: all_memories(stage, true),
            conflicts: conflicts(stage, true),
        }
    }

    /// The relations in words, but for their spans.
    fn triple(&self, relation: &Relation) -> [String; 3] {
        let name = |id: &edgemem::memory::EntityId| {
            let entity = self.entities.iter().find(|entity| entity.id == *id);
            entity.map_or(format!("<{id}>"), |entity| entity.name.clone())
        };
        let object = match &relation.object {
            Object::Entity(id) => name(id),
            Object::Literal(text) => text.clone(),
        };
        [name(&relation.subject), relation.predicate.clone(), object]
    }

    fn lines(&self, is_believed: bool) -> Vec<String> {
        let relations = self.relations.iter();
        let relations = relations.filter(|relation| relation.known_to.is_none() == is_believed);
        let line = |relation: &Relation| {
            let [subject, predicate, object] = self.triple(relation);
            edge(&Edge(
                subject,
                predicate,
                object,
                relation
                    .valid_from
                    .map(|at| date(at, relation.from_precision)),
                relation.valid_to.map(|at| date(at, relation.to_precision)),
            ))
        };
        relations.map(line).collect()
    }
}

pub fn memories(stage: &Stage) -> Vec<Memory> {
    all_memories(stage, false)
}

fn all_memories(stage: &Stage, show_past: bool) -> Vec<Memory> {
    let list = List {
        page_size: 1_000,
        show_past,
        ..List::default()
    };
    match stage.apply(Operation::List(list)) {
        Ok(Reply::Page { memories, .. }) => memories,
        other => panic!("{other:?}"),
    }
}

/// Contradictions: the open ones, or all.
pub fn conflicts(stage: &Stage, resolved: bool) -> Vec<Conflict> {
    match stage.apply(Operation::Contradictions { resolved }) {
        Ok(Reply::Contradictions(conflicts)) => conflicts,
        other => panic!("{other:?}"),
    }
}

fn graph(stage: &Stage, asked: Graph) -> (Vec<Entity>, Vec<Relation>) {
    match stage.apply(Operation::Graph(asked)) {
        Ok(Reply::Graph {
            entities,
            relations,
            ..
        }) => (entities, relations),
        other => panic!("{other:?}"),
    }
}

/// What is true of every graph, whatever was told: no relation rests on what is gone, none ends before it
/// begins, and of what has one value at a time there is one, or a contradiction says that it is not known which.
pub fn sound(state: &State) -> Result<(), String> {
    let mut current: BTreeMap<(String, String), Vec<&Relation>> = BTreeMap::new();
    for relation in &state.relations {
        let [subject, predicate, object] = state.triple(relation);
        let words = format!("{subject} {predicate} {object}");
        let rests = |id: &Id| state.memories.iter().any(|memory| memory.id == *id);
        if relation.memories.is_empty() || !relation.memories.iter().all(rests) {
            return Err(format!("unsound: '{words}' rests on a memory that is gone"));
        }
        if let (Some(from), Some(to)) = (relation.valid_from, relation.valid_to)
            && to < from
        {
            return Err(format!("unsound: '{words}' ends before it begins"));
        }
        if is_single(&predicate) && relation.is_current() {
            let values = current
                .entry((relation.subject.0.clone(), predicate))
                .or_default();
            values.push(relation);
        }
    }
    for ((subject, predicate), values) in current {
        let disputed = state
            .conflicts
            .iter()
            .any(|one| one.contradiction.is_open());
        if values.len() > 1 && !disputed {
            return Err(format!(
                "unsound: {subject} has {} values of {predicate}",
                values.len()
            ));
        }
    }
    Ok(())
}

/// All that differs, from what is looked at first to what is looked at last.
pub fn differences(stage: &Stage, expected: &Expected) -> Vec<String> {
    let state = State::read(stage);
    let mut found = Vec::new();
    let texts = memories(stage)
        .iter()
        .map(|m| m.text().to_owned())
        .collect();
    compare("memories", expected.memories.clone(), texts, &mut found);

    let named = |name: &str, kind: &str, aliases: &[String]| {
        let mut aliases = aliases.to_vec();
        aliases.sort();
        format!("{name} ({kind}) {aliases:?}")
    };
    let entities = expected.entities.iter();
    let entities = entities.map(|one| named(&one.name, &one.kind, &one.aliases));
    // The owner and the agent are always there; their names are what is to be learnt.
    let actual = state.entities.iter();
    let actual = actual.filter(|one| !one.id.is_party() || !one.aliases.is_empty());
    let actual = actual.map(|one| named(&one.name, &one.kind, &one.aliases));
    compare("entities", entities.collect(), actual.collect(), &mut found);

    let edges = |edges: &[Edge]| edges.iter().map(edge).collect();
    compare(
        "relations",
        edges(&expected.relations),
        state.lines(true),
        &mut found,
    );
    compare(
        "unbelieved",
        edges(&expected.unbelieved),
        state.lines(false),
        &mut found,
    );

    let sides = |texts: &mut dyn Iterator<Item = String>| {
        let mut texts: Vec<String> = texts.collect();
        texts.sort();
        texts.join(" | ")
    };
    let (open, decided): (Vec<&Conflict>, Vec<&Conflict>) = state
        .conflicts
        .iter()
        .partition(|one| one.contradiction.is_open());
    let wanted = expected.contradictions.iter();
    let wanted = wanted.map(|texts| sides(&mut texts.iter().cloned()));
    let open = open
        .iter()
        .map(|one| sides(&mut one.sides.iter().map(|side| side.text.clone())));
    compare(
        "contradictions",
        wanted.collect(),
        open.collect(),
        &mut found,
    );

    let wanted = expected.resolved.iter().map(|one| {
        let sides = sides(&mut one.sides.iter().cloned());
        format!("{sides} -> {}", one.kept.as_deref().unwrap_or("none"))
    });
    let decided = decided.iter().map(|one| {
        let resolution = one.contradiction.resolved.as_ref();
        let kept: Option<&Claim> = resolution.and_then(|resolution| resolution.kept.as_ref());
        let kept = one.sides.iter().find(|side| Some(&side.claim) == kept);
        let sides = sides(&mut one.sides.iter().map(|side| side.text.clone()));
        format!(
            "{sides} -> {}",
            kept.map_or("none", |side| side.text.as_str())
        )
    });
    compare("resolved", wanted.collect(), decided.collect(), &mut found);

    for at in &expected.at {
        found.extend(holds(stage, &state, at));
    }
    for question in &expected.questions {
        found.extend(answers(stage, question));
    }
    found
}

/// What is missing and what is too much, as one line.
fn compare(what: &str, mut expected: Vec<String>, actual: Vec<String>, found: &mut Vec<String>) {
    let mut unexpected = Vec::new();
    for one in actual {
        match expected.iter().position(|other| *other == one) {
            Some(place) => drop(expected.remove(place)),
            None => unexpected.push(one),
        }
    }
    let list = |title: &str, lines: &[String]| match lines {
        [] => String::new(),
        lines => format!(" {title} {}", lines.join("; ")),
    };
    if !expected.is_empty() || !unexpected.is_empty() {
        let (missing, unexpected) = (list("expected", &expected), list("found", &unexpected));
        found.push(format!("{what}:{missing}{unexpected}"));
    }
}

/// What does not hold at a time as it should.
fn holds(stage: &Stage, state: &State, at: &At) -> Vec<String> {
    let asked = Graph {
        as_of: Some(at.time),
        ..Graph::default()
    };
    let (_, relations) = graph(stage, asked);
    let found: Vec<[String; 3]> = relations.iter().map(|one| state.triple(one)).collect();
    let missing = at.holds.iter().filter(|wanted| !found.contains(wanted));
    let missing = missing.map(|one| format!("at {}: expected {}", at.time.date(), one.join(" ")));
    let unexpected = at.not.iter().filter(|unwanted| found.contains(unwanted));
    let unexpected =
        unexpected.map(|one| format!("at {}: found {}", at.time.date(), one.join(" ")));
    missing.chain(unexpected).collect()
}

/// What is wrong with the answer to a question.
fn answers(stage: &Stage, question: &Question) -> Option<String> {
    let search: Search = serde_json::from_value(json!({
        "query": question.query,
        "as_of": question.as_of,
        "top_k": question.k,
        "threshold": 0.0,
        "transcript": "never",
    }))
    .expect("a search");
    let hits: Vec<Hit> = match stage.apply(Operation::Search(search)) {
        Ok(Reply::Hits(hits)) => hits,
        other => panic!("{other:?}"),
    };
    let texts: Vec<&str> = hits.iter().map(|hit| hit.memory.text()).collect();
    let missing = question
        .first
        .iter()
        .find(|text| !texts.contains(&text.as_str()));
    let unwanted = question
        .not
        .iter()
        .find(|text| texts.contains(&text.as_str()));
    let as_of = question.as_of.as_ref().map(|at| format!(" as of {at}"));
    let asked = format!("'{}'{}", question.query, as_of.unwrap_or_default());
    match (missing, unwanted) {
        (Some(text), _) => Some(format!("{asked}: expected '{text}' among {texts:?}")),
        (None, Some(text)) => Some(format!("{asked}: found '{text}'")),
        (None, None) => None,
    }
}

fn edge(edge: &Edge) -> String {
    let Edge(subject, predicate, object, from, to) = edge;
    let open = |date: &Option<String>| date.clone().unwrap_or_default();
    format!(
        "{subject} {predicate} {object} [{}..{}]",
        open(from),
        open(to)
    )
}

/// A time as exactly as it is known, to the day at most: `2021`, `2021-03`, `season of 2021-03`, and `~2021-03-14` when nobody told it.
fn date(at: Moment, precision: Option<Precision>) -> String {
    let day = at.date();
    match precision {
        Some(Precision::Year) => day[..4].to_owned(),
        Some(Precision::Month) => day[..7].to_owned(),
        Some(Precision::Day | Precision::Hour | Precision::Minute | Precision::Instant) => day,
        Some(Precision::Weekend) => format!("weekend of {day}"),
        Some(Precision::Week) => format!("week of {day}"),
        Some(Precision::Season) => format!("season of {}", &day[..7]),
        Some(Precision::Decade) => format!("{}s", &day[..4]),
        None => format!("~{day}"),
    }
}
