//! What recall makes of the graph: contradictions side by side, contexts, timelines.

use edgemem::operation::{Context, Search, Timeline};

use super::sample::{asked, replayed};
use super::*;

#[test]
fn what_cannot_both_be_true_is_returned_together_the_newest_first() {
    let fixture = Fixture::new();
    let lille = json!([lives("User's flat is in Lille", "Lille", Some("2026-01"))]);
    let lille = learn(&fixture, "2026-01-10", lille).outcomes[0].id;
    let lyon = tell(
        &fixture,
        Turn {
            on: "2026-01-12",
            facts: json!([lives("User's flat is in Lyon", "Lyon", Some("2026-01"))]),
            calls: &[ADD],
        },
    );
    let lyon = lyon.outcomes[0].id;
    for top_k in [10, 2] {
        let search = Search {
            query: "Is the flat in Lille?".into(),
            top_k,
            ..Search::default()
        };
        let hits = asked(&fixture, search);
        let ids: Vec<Id> = hits.iter().take(2).map(|hit| hit.memory.id).collect();
        assert_eq!(ids, [lyon, lille]);
        assert_eq!(hits[0].contradicts, [lille]);
        assert_eq!(hits[1].contradicts, [lyon]);
    }
    let context = Context {
        query: "Is the flat in Lille?".into(),
        ..Context::default()
    };
    let (text, memories, ..) = in_context(&fixture, context);
    let line = text.lines().find(|line| line.contains("or:")).unwrap();
    assert!(line.find("Lyon") < line.find("Lille"), "{line}");
    assert!(memories.contains(&lille) && memories.contains(&lyon));
}

fn in_context(fixture: &Fixture, context: Context) -> (String, Vec<Id>, usize, bool) {
    match fixture.apply(Operation::Context(context)) {
        Reply::Context {
            text,
            memories,
            tokens,
            truncated,
        } => (text, memories, tokens, truncated),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_context_has_what_an_agent_needs() {
    let (fixture, _) = replayed();
    let ask = |budget_tokens, as_of: Option<&str>| Context {
        query: "What should I eat on my next trip to Tokyo?".into(),
        budget_tokens,
        as_of: as_of.map(|day| day.parse().unwrap()),
        ..Context::default()
    };
    let (text, memories, tokens, truncated) = in_context(&fixture, ask(400, None));
    insta::assert_snapshot!("context", text);
    assert!(tokens <= 400 && !memories.is_empty());
    assert!(truncated);
    assert!(text.contains("allergic to: peanuts"), "{text}");
    assert!(text.contains("San Francisco") && text.contains("bullet points, five at most"));
    for (number, id) in (1..).zip(&memories) {
        assert!(text.contains(&format!("[m{number}]")), "{number}");
        assert!(matches!(
            fixture.apply(Operation::Get { id: *id }),
            Reply::Memory(_)
        ));
    }
    assert!(!text.contains(&format!("[m{}]", memories.len() + 1)));
    let again = in_context(&fixture, ask(400, None));
    assert_eq!(again.0, text);
    for budget in [50, 75, 120, 200, 1_000] {
        let (text, _, tokens, _) = in_context(&fixture, ask(budget, None));
        assert!(tokens <= budget, "{tokens} of {budget}");
        assert!(text.len() <= budget * 4);
    }
    let (past, ..) = in_context(&fixture, ask(1_500, Some("2026-05-01")));
    assert!(past.contains("diet: vegetarian"), "{past}");
    assert!(past.contains("lives in: New York"), "{past}");
}

#[test]
fn a_question_of_order_gets_a_timeline() {
    let (fixture, _) = replayed();
    let context = Context {
        query: "Which came first, the move to San Francisco or the trip to Tokyo?".into(),
        ..Context::default()
    };
    let (text, ..) = in_context(&fixture, context);
    let timeline = text.split("In order of time:").nth(1).expect("a timeline");
    let tokyo = timeline.find("travelled to Tokyo");
    let moved = timeline.find("lives in San Francisco");
    assert!(tokyo.is_some() && tokyo < moved, "{text}");
}

#[test]
fn a_question_about_a_time_prefers_what_was_then() {
    let fixture = Fixture::new();
    let tell_of = |day: &str, text: &str| {
        let add = Add {
            infer: false,
            time: Some(day.parse().unwrap()),
            ..fixture.add_of(text)
        };
        fixture.add(add);
    };
    tell_of("2025-05-10", "I ran a marathon with Ana yesterday");
    tell_of("2025-09-20", "I ran a marathon with Ben yesterday");
    let best = |query: &str| {
        let search = Search {
            query: query.into(),
            reference_time: Some("2026-01-01".parse().unwrap()),
            ..Search::default()
        };
        asked(&fixture, search)[0].clone()
    };
    let may = best("With whom did I run a marathon in May 2025?");
    assert!(may.memory.text().contains("Ana"));
    let channels = may.receipt.channels.iter();
    assert!(channels.clone().any(|channel| channel.channel == "time"));
    let september = best("With whom did I run a marathon in September 2025?");
    assert!(september.memory.text().contains("Ben"));
}

#[test]
fn a_timeline_tells_what_held_when() {
    let (fixture, _) = replayed();
    let lines = |timeline: Timeline| match fixture.apply(Operation::Timeline(timeline)) {
        Reply::Timeline(lines) => lines,
        other => panic!("{other:?}"),
    };
    let all = lines(Timeline::default());
    let sorted = all.windows(2).all(|pair| pair[0].from <= pair[1].from);
    assert!(sorted && !all.is_empty());
    let place = |text: &str| all.iter().position(|line| line.text == text);
    let (york, francisco) = ("user lives in New York", "user lives in San Francisco");
    assert!(place(york).unwrap() < place(francisco).unwrap());
    let york = &all[place(york).unwrap()];
    assert_eq!(york.to.unwrap().date(), "2026-05-02");
    assert!(!york.current && all[place(francisco).unwrap()].current);
    let later = Timeline {
        from: Some("2026-06-01".parse().unwrap()),
        ..Timeline::default()
    };
    assert!(lines(later).iter().all(|line| line.text != york.text));
    let of_mel = Timeline {
        entity: Some(EntityId("Mel".into())),
        ..Timeline::default()
    };
    let of_mel = lines(of_mel);
    assert!(of_mel.iter().any(|line| line.text.contains("Portland")));
    assert!(of_mel.iter().all(|line| !line.text.contains("Biscuit")));
    let topic = Timeline {
        query: Some("Tokyo trip".into()),
        ..Timeline::default()
    };
    let topic = lines(topic);
    assert!(
        topic
            .iter()
            .any(|line| line.text.contains("planning a ten-day trip"))
    );
}
