use super::*;

#[test]
fn spellings_are_counted_by_letters() {
    assert!(may_be_spelt("san fransisco", "san francisco"));
    assert!(may_be_spelt("headphone", "headphones"));
    assert!(may_be_spelt("golden retreiver", "golden retriever"));
    assert!(!may_be_spelt("north america", "south america"));
    assert!(!may_be_spelt("iphone 14 pro", "iphone 15 pro"));
    assert!(!may_be_spelt("austria", "australia"));
    assert!(!may_be_spelt("slovenia", "slovakia"));
}

fn draft_with<'g>(graph: &'g Graph, people: &[(&str, &str)]) -> Draft<'g> {
    let mut draft = Draft::new(graph, Moment::from_seconds(0));
    for (name, kind) in people {
        let id = draft.free_id(name).unwrap();
        draft.put_entity(entity(
            id,
            (*name).to_owned(),
            kind,
            Moment::from_seconds(0),
        ));
    }
    draft
}

fn found(known: &[(&str, &str)], name: &str, kind: &str) -> Option<String> {
    let graph = Graph::default();
    let likeness = Likeness::default();
    let resolver = Resolver::new(&likeness, OrderedSet::new());
    let draft = draft_with(&graph, known);
    resolver.find(&draft, name, kind).map(|id| id.0)
}

#[test]
fn a_name_means_who_alone_can_be_meant() {
    let person = "person";
    for (known, name, kind, expected) in [
        (
            vec![("Melanie", person)],
            "melanie",
            person,
            Some("melanie"),
        ),
        (
            vec![("Melanie", person)],
            "my sister Melanie",
            person,
            Some("melanie"),
        ),
        (
            vec![("Melanie", person)],
            "Melanie Fischer",
            person,
            Some("melanie"),
        ),
        (
            vec![("Melanie Fischer", person)],
            "Melanie",
            "topic",
            Some("melanie fischer"),
        ),
        (
            vec![("Melanie Fischer", person), ("Melanie Kurz", person)],
            "Melanie",
            person,
            None,
        ),
        (
            vec![("Melanie Fischer", person)],
            "Melanie Kurz",
            person,
            None,
        ),
        (
            vec![("Tokyo trip", "event")],
            "the Tokyo trip",
            "topic",
            Some("tokyo trip"),
        ),
        (vec![("Paris", "place")], "Paris", person, None),
        (vec![("Paris", "place")], "Paris", "topic", Some("paris")),
        (vec![("Biscuit", "animal")], "biscuit", "food", None),
        (
            vec![("John (brother)", person), ("John (colleague)", person)],
            "John (brother)",
            person,
            Some("john (brother)"),
        ),
        (
            vec![("John (brother)", person), ("John (colleague)", person)],
            "John",
            person,
            None,
        ),
        (
            vec![("John (brother)", person)],
            "John",
            person,
            Some("john (brother)"),
        ),
        (
            vec![("John (brother)", person)],
            "John (colleague)",
            person,
            None,
        ),
        (vec![("Christina", person)], "Christine", person, None),
        (vec![], "I", "", Some("user")),
        (vec![], "EU", "organization", None),
    ] {
        assert_eq!(
            found(&known, name, kind).as_deref(),
            expected,
            "{known:?} {name}"
        );
    }
}

#[test]
fn who_was_just_spoken_of_is_meant() {
    let graph = Graph::default();
    let likeness = Likeness::default();
    let draft = draft_with(
        &graph,
        &[("John (brother)", "person"), ("John (colleague)", "person")],
    );
    let lately = OrderedSet::from([EntityId("john (colleague)".into())]);
    let resolver = Resolver::new(&likeness, lately);
    let id = resolver.find(&draft, "John", "person").unwrap();
    assert_eq!(id.0, "john (colleague)");
}
