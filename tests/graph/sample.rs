//! The sample, replayed against the graph.

use edgemem::operation::{Channel, Hit, Search, Transcript};

use super::*;

/// Gives the sample's replies, with the labels that the prompt shows.
struct Sample {
    replies: std::cell::RefCell<std::collections::VecDeque<Value>>,
}

impl edgemem::model::ChatModel for Sample {
    fn name(&self) -> &str {
        "sample"
    }

    fn chat<'a>(
        &'a self,
        request: &'a edgemem::model::ChatRequest,
    ) -> futures_util::future::LocalBoxFuture<
        'a,
        Result<edgemem::model::ChatReply, edgemem::model::ModelError>,
    > {
        use edgemem::model::{ChatReply, Finish, Output, ToolCall};
        let Some(edgemem::model::Turn::User(prompt)) = request.turns.first() else {
            panic!()
        };
        let is_update = matches!(request.output, Output::Tools(_));
        let reply = loop {
            let next = self.replies.borrow_mut().pop_front().expect("a reply");
            if next.get("calls").is_some() == is_update {
                break next;
            }
        };
        let label = |marked: &Value| {
            let text = marked.as_str()?.strip_prefix("{{")?.strip_suffix("}}")?;
            let wanted = text.split_once(':')?.1;
            let line = prompt
                .lines()
                .find(|line| line.starts_with('[') && line.contains(wanted))?;
            line[1..].split(']').next()?.parse::<usize>().ok()
        };
        let mut content = reply.get("json").cloned().unwrap_or_default();
        for fact in content["facts"].as_array_mut().into_iter().flatten() {
            let sources = fact["sources"].as_array().unwrap().iter().filter_map(label);
            fact["sources"] = sources.collect();
        }
        let calls = reply.get("calls").and_then(Value::as_array);
        let calls = calls.into_iter().flatten().filter_map(|call| {
            let mut arguments = call["arguments"].clone();
            for (name, value) in arguments.as_object_mut()? {
                if name != "text" {
                    *value = label(value)?.into();
                }
            }
            let name = call["name"].as_str()?.to_owned();
            Some(ToolCall {
                name,
                arguments: arguments.to_string(),
            })
        });
        Box::pin(futures_util::future::ready(Ok(ChatReply {
            tool_calls: calls.collect(),
            content: content.to_string(),
            finish: Finish::Done,
            tokens: None,
        })))
    }
}

/// The space after the sample's story, and what it is said to leave.
pub(super) fn replayed() -> (Fixture, Value) {
    let read = |file: &str| -> Value {
        let path = format!("{}/samples/{file}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let (cassette, story) = (read("cassettes/sample.json"), read("conversation.json"));
    let entries = cassette["entries"].as_array().unwrap().iter();
    let replies = entries.map(|entry| entry["reply"].clone()).collect();
    let fixture = Fixture::with_chat(std::rc::Rc::new(Sample {
        replies: std::cell::RefCell::new(replies),
    }));
    for session in story["sessions"].as_array().unwrap() {
        let event = fixture.add(Add {
            messages: serde_json::from_value(session["messages"].clone()).unwrap(),
            time: Some(session["time"].as_str().unwrap().parse().unwrap()),
            ..fixture.add_of("")
        });
        assert!(common::is_done(&event), "{event:?}");
        fixture.later(60_000);
    }
    (fixture, read("expected.json"))
}

#[test]
fn the_sample_has_every_relation_with_its_interval() {
    let (fixture, expected) = replayed();
    let found = everything(&fixture);
    let wanted = expected["relations"].as_array().unwrap();
    assert_eq!(found.len(), wanted.len(), "{:#?}", believed(&fixture));
    for wanted in wanted {
        let text = |name: &str| wanted[name].as_str().unwrap();
        let is_it = |relation: &&Relation| {
            relation.subject == EntityId::of(text("subject")).unwrap()
                && relation.predicate == text("predicate")
                && value(relation).to_lowercase() == text("object").to_lowercase()
        };
        let relation = found
            .iter()
            .find(is_it)
            .unwrap_or_else(|| panic!("{wanted}"));
        assert_eq!(json!(relation.is_current()), wanted["current"], "{wanted}");
        for (name, bound) in [
            ("valid_from", relation.valid_from),
            ("valid_to", relation.valid_to),
        ] {
            if wanted.get(name).is_some() {
                assert_eq!(json!(bound), wanted[name], "{wanted}");
            }
        }
    }
    assert_eq!(
        entity(&fixture, "Mel").entity.id,
        EntityId("melanie".into())
    );
    assert_eq!(entity(&fixture, "Maya").entity.id, EntityId::owner());
    let diet = |as_of: &str| {
        let asked = Graph {
            as_of: Some(as_of.parse().unwrap()),
            ..Graph::default()
        };
        let relations = graph(&fixture, asked);
        relations
            .iter()
            .any(|relation| value(relation) == "vegetarian")
    };
    assert!(diet("2026-05-31") && !diet("2026-06-13"));
}

pub(super) fn asked(fixture: &Fixture, search: Search) -> Vec<Hit> {
    match fixture.apply(Operation::Search(search)) {
        Reply::Hits(hits) => hits,
        other => panic!("{other:?}"),
    }
}

/// The best hits as of a day.
fn as_of(fixture: &Fixture, query: &str, day: Option<&str>) -> Vec<String> {
    let search = Search {
        query: query.into(),
        as_of: day.map(|day| day.parse().unwrap()),
        transcript: Transcript::Never,
        top_k: 3,
        ..Search::default()
    };
    let hits = asked(fixture, search);
    hits.iter()
        .map(|hit| hit.memory.text().to_owned())
        .collect()
}

#[test]
fn several_hops_lead_from_the_trip_to_the_allergy() {
    let (fixture, _) = replayed();
    let query = "What dietary restrictions should we consider for the user's Tokyo trip?";
    let search = |without: &[Channel]| Search {
        query: query.into(),
        transcript: Transcript::Never,
        without: without.to_vec(),
        ..Search::default()
    };
    let hits = asked(&fixture, search(&[]));
    let allergy = "User is allergic to peanuts";
    let place = |hits: &[Hit]| hits.iter().position(|hit| hit.memory.text() == allergy);
    let hit = &hits[place(&hits).expect("the allergy")];
    let steps: Vec<(&str, &str)> = hit
        .receipt
        .path
        .iter()
        .map(|step| (step.by.as_str(), step.name.as_str()))
        .collect();
    assert_eq!(
        steps,
        [
            ("named", "Tokyo"),
            ("visited", "user"),
            ("allergic_to", "peanuts"),
            ("mentions", ""),
        ]
    );
    let channels = hit.receipt.channels.iter();
    assert!(channels.clone().any(|channel| channel.channel == "graph"));
    // The graph alone leads there too.
    let alone = asked(&fixture, search(&[Channel::Keyword, Channel::Vector]));
    assert!(place(&alone).is_some());
    let without = asked(&fixture, search(&[Channel::Graph]));
    assert!(without.iter().all(|hit| hit.receipt.path.is_empty()));
    // "Dietary" asks for allergies.
    assert!(place(&hits) < place(&without).or(Some(usize::MAX)));
}

#[test]
fn a_receipt_tells_what_holds_not_what_is_over() {
    let (fixture, _) = replayed();
    let search = Search {
        query: "Where does the user live?".into(),
        transcript: Transcript::Never,
        ..Search::default()
    };
    let hits = asked(&fixture, search);
    let names = hits[0].receipt.path.iter().map(|step| step.name.as_str());
    let names: Vec<&str> = names.collect();
    assert!(hits[0].memory.text().contains("San Francisco"));
    assert!(names.contains(&"San Francisco"), "{names:?}");
}

#[test]
fn the_past_answers_in_its_own_words() {
    let (fixture, _) = replayed();
    let home = |day| as_of(&fixture, "Where does the user live?", day)[0].clone();
    assert!(home(Some("2026-03-01")).contains("New York"));
    assert!(home(Some("2026-06-01")).contains("San Francisco"));
    assert!(home(None).contains("San Francisco"));
    let diet = |day| as_of(&fixture, "Is the user a vegetarian?", day);
    let vegetarian = "User is a vegetarian".to_owned();
    assert!(diet(Some("2026-05-01")).contains(&vegetarian));
    assert!(!diet(Some("2026-07-01")).contains(&vegetarian));
    assert!(!diet(None).contains(&vegetarian));
}
